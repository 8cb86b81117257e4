import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeCatalog } from '@tutti/sql';
import { gen } from '../gen.js';
import { tpch } from './command.js';
import { tpchQuery } from './queries.js';
import { TABLE_NAMES } from './schema.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tutti-gen-'));
});

afterEach(() => rmSync(root, { recursive: true }));

async function run(args: string[], { isTTY = false, env = {} } = {}) {
  const written = { out: '', err: '' };
  const code = await tpch(args, {
    root,
    env,
    stdout: { write: (text) => (written.out += text) },
    stderr: { isTTY, write: (text) => (written.err += text) },
  });
  return { code, ...written };
}

test('data comes with a catalog that names its files, columns and rows', async () => {
  const { code, out, err } = await run([]);
  const directory = join(root, '.tutti/data/tpch-0.01');
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).toContain('  orders         15,000 rows\n');
  expect(err).toContain(`Catalog: ${directory}/tpch.json\n`);
  expect(err).not.toContain('\r');

  const json: unknown = JSON.parse(readFileSync(join(directory, 'tpch.json'), 'utf8'));
  const decoded = decodeCatalog(json, { name: 'tpch', directory });
  const tables = 'ok' in decoded ? decoded.ok.schemas.flatMap((schema) => schema.tables) : [];
  expect(tables.map((table) => table.name)).toEqual(TABLE_NAMES);
  expect(tables.find((table) => table.name === 'orders')).toMatchObject({ format: 'parquet', rows: 15_000 });
  for (const { source } of tables) {
    for (const file of 'files' in source ? source.files : []) expect(statSync(file).size).toBeGreaterThan(0);
  }
  expect(readdirSync(join(root, '.tutti/data'))).toEqual(['tpch-0.01']);
});

test('a second run finds the data there and touches nothing; --force makes it anew', async () => {
  await run(['--out', 'data', '--quiet']);
  const file = join(root, 'data/orders/part-000.parquet');
  const before = statSync(file);

  const second = await run(['--out', 'data', '--json']);
  expect(second.code).toBe(0);
  expect(second.err).toContain('already there');
  expect(JSON.parse(second.out)).toMatchObject({
    scale: 0.01,
    directory: join(root, 'data'),
    catalog: join(root, 'data/tpch.json'),
    alreadyThere: true,
    tables: { nation: { rows: 25, files: 1 } },
  });
  expect(statSync(file).ino).toBe(before.ino);

  expect(await run(['--out', 'data', '--force', '--quiet'])).toEqual({ code: 0, out: '', err: '' });
  expect(statSync(file).ino).not.toBe(before.ino);
  expect(readdirSync(root)).toEqual(['data']);
});

test('damaged data is not taken for data, and --force mends it', async () => {
  await run(['--out', 'data', '--quiet']);
  truncateSync(join(root, 'data/part/part-000.parquet'), 10);
  const refused = await run(['--out', 'data']);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('holds damaged data (part/part-000.parquet is changed). Replace it with --force');
  expect((await run(['--out', 'data', '--force', '--quiet'])).code).toBe(0);
});

test('data of another scale is replaced only by --force', async () => {
  await run(['--out', 'data', '--quiet']);
  const refused = await run(['--scale', '0.02', '--out', 'data']);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('holds data of scale 0.01') });
});

test('a directory with other files is left alone, even with --force (D2)', async () => {
  mkdirSync(join(root, 'mine'));
  writeFileSync(join(root, 'mine/letter.txt'), 'dear');
  const refused = await run(['--out', 'mine', '--force']);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('not generated here') });
  expect(readdirSync(root)).toEqual(['mine']);
  expect(readdirSync(join(root, 'mine'))).toEqual(['letter.txt']);
});

test('what a killed run left behind is cleared away by the next one, what a living one writes is not', async () => {
  const gone = 2 ** 22 + 1; // Above the largest process id of Linux.
  for (const pid of [gone, process.ppid]) mkdirSync(join(root, `data.partial-${pid}`));
  await run(['--out', 'data', '--quiet']);
  expect(readdirSync(root).sort()).toEqual(['data', `data.partial-${process.ppid}`]);
});

test('a path through a file is refused with the reason', async () => {
  writeFileSync(join(root, 'file'), '');
  expect(await run(['--out', 'file/data'])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^Cannot write .*file\/data: a part of the path is a file \(\w+\)\. Name another/),
  });
});

test('an interrupted run leaves nothing behind and ends with 130', async () => {
  const running = run(['--scale', '0.1', '--out', 'data', '--quiet']);
  const seen = new Promise<void>((resolve) => {
    const look = () => (readdirSync(root).length > 0 ? resolve() : setImmediate(look));
    look();
  });
  await seen;
  process.emit('SIGINT');
  expect(await running).toMatchObject({ code: 130, err: expect.stringContaining('Interrupted') });
  expect(existsSync(join(root, 'data'))).toBe(false);
  expect(readdirSync(root)).toEqual([]);
});

test('a terminal sees the percentage move', async () => {
  const { err } = await run(['--out', 'data'], { isTTY: true });
  expect(err).toMatch(/\r\x1b\[K {0,2}\d+ % {2}partsupp {2}[\d,]+ rows/);
});

test.each([
  [['--scale', '20'], "--scale takes a number from 0.01 to 10 in steps of 0.01, not '20'"],
  [['--scale', 'big'], "not 'big'"],
  [['--threads', '0'], '--threads takes a number from 1 to 4'],
  [['--threads', '2.5'], "not '2.5'"],
  [['--out', ''], '--out takes a directory'],
  [['--scael', '1'], '--scael'],
  [['more'], 'more'],
])('%j is wrong use, and the answer says why and how', async (args, problem) => {
  const { code, err } = await run(args);
  expect(code).toBe(2);
  expect(err).toContain(problem);
  expect(err).toContain('npm run gen -- tpch [options]');
});

test('--help goes to standard output', async () => {
  expect(await run(['--help'])).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--scale N') });
});

test.each([[[]], [['tpcds']]])('gen %j is wrong use', async (args) => {
  const write = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await gen(args)).toBe(2);
  expect(write.mock.calls.join('')).toContain('tpch        the tables');
  write.mockRestore();
});

test('the share of query 11 follows the scale, the other queries do not', () => {
  const repository = join(__dirname, '..', '..', '..');
  expect(tpchQuery(repository, 11)).toContain('* 0.0001000\n');
  expect(tpchQuery(repository, 11, 0.01)).toContain('* 0.0100000\n');
  expect(tpchQuery(repository, 11, 10)).toContain('* 0.0000100\n');
  expect(tpchQuery(repository, 6, 0.01)).toBe(tpchQuery(repository, 6));
});
