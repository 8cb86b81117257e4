import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TestLog } from '@tutti/service/testing';
import { ExchangeStore } from './exchange-store.js';
import { begin, bytesOf, KEY, TestStores, write } from './testing/exchange-fixture.js';

let stores: TestStores;
beforeEach(() => {
  stores = new TestStores();
});
afterEach(async () => {
  expect(await stores.close()).toEqual([]);
});

test('E1: a file can be had when its fragment has ended well, by its name and no other', async () => {
  const session = begin(stores.open(), 'q.1.0');
  const files = session.beginFragment('3.0.0');
  await writeFile(join(files.path, 'data_0.parquet'), bytesOf(10));
  expect(session.file('3.0.0/data_0.parquet')).toBeUndefined();
  files.keep([{ name: 'data_0.parquet', rows: 4, partition: 2 }]);
  expect(session.file('3.0.0/data_0.parquet')).toMatchObject({ bytes: 10, rows: 4, partition: 2 });
  for (const name of ['../../x', '3.0.0/../3.0.0/data_0.parquet', '/etc/passwd', '3.0.0//data_0.parquet'])
    expect(session.file(name)).toBeUndefined();
});

test('an engine that names a file outside of its directory is a bug, and no file', async () => {
  const session = begin(stores.open(), 'q.1.0');
  const files = session.beginFragment('3.0.0');
  expect(() => files.keep([{ name: '../../in/x', rows: 1, partition: 0 }])).toThrow(/names its files plainly/);
  expect(() => session.beginFragment('../x')).toThrow(/stage.share.attempt/);
});

test('what a fragment wrote that came to nothing is removed, and does not count', async () => {
  const store = stores.open();
  const session = begin(store, 'q.1.0');
  const files = session.beginFragment('3.0.0');
  await writeFile(join(files.path, 'data_0.parquet'), bytesOf(1_000));
  await files.measure();
  expect(store.stats()).toMatchObject({ heldBytes: 1_000, writtenBytes: 1_000, files: 0 });
  expect(session.hasFragment('3.0.0')).toBe(true);
  await files.discard();
  expect(store.stats()).toMatchObject({ heldBytes: 0, writtenBytes: 1_000 });
  expect(existsSync(files.path)).toBe(false);
  expect(session.hasFragment('3.0.0')).toBe(false);
});

test('E2: a session that writes more than it may hears of the limit, the query and the setting', async () => {
  const session = begin(stores.open(1_500), 'q.1.0');
  await write(session, '1.0.0', bytesOf(1_000));
  const files = session.beginFragment('2.0.0');
  await writeFile(join(files.path, 'data_0.parquet'), bytesOf(600));
  await expect(files.measure()).rejects.toMatchObject({
    reason: 'EXCEEDED_EXCHANGE_LIMIT',
    message: expect.stringMatching(/Query q .* 1.46kB .*exchange.limit/),
  });
  await files.discard();
  expect(session.heldBytes).toBe(1_000);
});

test('E3: when a session ends its files are gone, and nobody finds it', async () => {
  const store = stores.open();
  const session = begin(store, 'q.1.0');
  await write(session, '1.0.0', bytesOf(1_000));
  store.end(session);
  expect(store.session('q.1.0')).toBeUndefined();
  await store.removed();
  expect(readdirSync(store.path)).toEqual([]);
  expect(session.closed.aborted).toBe(true);
  expect(store.stats()).toMatchObject({ files: 0, heldBytes: 0 });
});

test('E3: also of a session with more than is removed at once', async () => {
  const store = stores.open(8 << 20);
  const session = begin(store, 'q.1.0');
  await write(session, '1.0.0', bytesOf(2 << 20));
  store.end(session);
  await store.removed();
  expect(readdirSync(store.path)).toEqual([]);
});

test('a store that begins removes what processes left behind that were killed, and nothing else', () => {
  const gone = join(stores.root, 'tutti-exchange-999999999-abc');
  const foreign = join(stores.root, 'tutti-spill-999999999-abc');
  for (const directory of [gone, foreign]) mkdirSync(directory);
  writeFileSync(join(gone, 'data.parquet'), 'x');
  const other = stores.open();
  expect(existsSync(gone)).toBe(false);
  const store = stores.open();
  expect([existsSync(other.path), existsSync(store.path), existsSync(foreign)]).toEqual([true, true, true]);
  // Not ours to remove.
  expect(readdirSync(foreign)).toEqual([]);
  rmdirSync(foreign);
});

test('a directory that cannot be used is a setting that is wrong', () => {
  const open = () => ExchangeStore.open({ directory: '/proc/none', limitBytes: 1, log: new TestLog() });
  expect(open).toThrow(/exchange.directory: \/proc\/none cannot be used/);
});

test('only the key of the session opens it', () => {
  const session = begin(stores.open(), 'q.1.0');
  expect(session.isKey(KEY)).toBe(true);
  for (const key of ['', KEY.slice(1), `${KEY}x`, KEY.toUpperCase()]) expect(session.isKey(key)).toBe(false);
});
