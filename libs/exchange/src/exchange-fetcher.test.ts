import { readdirSync, readFileSync, statSync } from 'node:fs';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { seededRandom, systemClock, type Clock } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { FetchExchangeResponseSchema, TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { rpcError } from '@tutti/service';
import { memoryTransport } from '@tutti/service/testing';
import { ExchangeFetcher } from './exchange-fetcher.js';
import { CHUNK_BYTES, exchangeService } from './exchange-service.js';
import type { ExchangeSession } from './exchange-session.js';
import type { ExchangeStore } from './exchange-store.js';
import { begin, bytesOf, TestStores, write } from './testing/exchange-fixture.js';

type Fetch = ServiceImpl<typeof TaskService>['fetchExchange'];

let stores: TestStores;
let producer: ExchangeStore;
let consumer: ExchangeStore;
let theirs: ExchangeSession;
let ours: ExchangeSession;
let asked: { name: string; offset: number }[];

beforeEach(() => {
  stores = new TestStores();
  [producer, consumer] = [stores.open(), stores.open(10_000_000)];
  [theirs, ours] = [begin(producer, 'q.1.0'), begin(consumer, 'q.2.0')];
  asked = [];
});
afterEach(async () => {
  expect(await stores.close()).toEqual([]);
});

/** What our session fetches from producers that answer with `fetch`; those of the store by default. */
function fetches(fetch: Fetch = serve(), clock: Clock = systemClock, session = ours, store = consumer) {
  const fetchExchange: Fetch = (request, context) => {
    asked.push({ name: request.name, offset: Number(request.offset) });
    const parts = fetch(request, context)[Symbol.asyncIterator]();
    // As every server of ours does when its client leaves.
    context.signal.addEventListener('abort', () => void parts.return?.());
    return { [Symbol.asyncIterator]: () => parts };
  };
  const transport = memoryTransport((router) => router.service(TaskService, { fetchExchange }));
  const connect = () => ({ ...transport, close: () => {} });
  const options = { store, connect, streamsMax: 2, progressTimeoutMs: 10_000, clock, random: seededRandom(1) };
  return new ExchangeFetcher(options).for(session);
}

const serve = (streamsMax = 8): Fetch => exchangeService({ store: producer, streamsMax }).fetchExchange;
const never = () => new AbortController().signal;
const inputs = () => readdirSync(ours.inputDirectory);
const chunk = (content: Uint8Array) => create(FetchExchangeResponseSchema, { chunk: content });

test('a file comes whole, whatever its length', async () => {
  const here = fetches();
  for (const [index, length] of [0, 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 17].entries()) {
    const content = bytesOf(length);
    const file = await write(theirs, `${index}.0.0`, content);
    let came = 0;
    const { paths } = await here.fetch([file], { signal: never(), progress: (bytes) => (came += bytes) });
    expect(readFileSync(paths[0] ?? '').equals(content)).toBe(true);
    expect(came).toBe(length);
  }
  expect(producer.stats().servedBytes).toBe(4 * CHUNK_BYTES + 18);
  expect(consumer.stats()).toMatchObject({ fetchedBytes: 4 * CHUNK_BYTES + 18, heldBytes: 4 * CHUNK_BYTES + 18 });
});

test('F2: a file of the session itself is used where it is, and one of its neighbour is not sent either', async () => {
  const own = await write(ours, '1.0.0', bytesOf(100));
  const neighbour = begin(consumer, 'q.3.0');
  const next = await write(neighbour, '1.0.0', bytesOf(50));
  const { paths } = await fetches().fetch([next, own], { signal: never() });
  expect(paths[1]).toBe(ours.file(own.name)?.path);
  expect(statSync(paths[0] ?? '').ino).toBe(statSync(neighbour.file(next.name)?.path ?? '').ino);
  expect(asked).toEqual([]);
});

test('F4: a file that came with its content is written, counted and not fetched', async () => {
  const content = bytesOf(1_000);
  const file = { ...(await write(theirs, '1.0.0', content)), content };
  let came = 0;
  const { paths } = await fetches().fetch([file], { signal: never(), progress: (bytes) => (came += bytes) });
  expect(readFileSync(paths[0] ?? '').equals(content)).toBe(true);
  expect(came).toBe(1_000);
  expect(consumer.stats()).toMatchObject({ fetchedBytes: 1_000, heldBytes: 1_000 });
  expect(asked).toEqual([]);
});

test('F1: a file that is asked for again, also at the same time, is fetched once', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(1_000));
  const here = fetches();
  const [first, second] = await Promise.all([1, 2].map(() => here.fetch([file, file], { signal: never() })));
  const third = await here.fetch([file], { signal: never() });
  expect(new Set([first, second, third].flatMap((files) => files?.paths)).size).toBe(1);
  expect(asked).toHaveLength(1);
});

test('T1: a stream that breaks goes on where it stopped', async () => {
  const content = bytesOf(5 * CHUNK_BYTES);
  const file = await write(theirs, '1.0.0', content);
  const breaking: Fetch = async function* (request, context) {
    let sent = 0;
    for await (const part of serve()(request, context)) {
      if (request.offset === 0n && sent++ === 2) throw new ConnectError('connection reset', Code.Unavailable);
      yield part;
    }
  };
  const { paths } = await fetches(breaking).fetch([file], { signal: never() });
  expect(readFileSync(paths[0] ?? '').equals(content)).toBe(true);
  expect(asked.map(({ offset }) => offset)).toEqual([0, 2 * CHUNK_BYTES]);
});

test('T1: a stream that breaks twice has lost its file, and nothing is left of it', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(CHUNK_BYTES));
  const broken: Fetch = async function* () {
    yield chunk(bytesOf(10));
    throw new ConnectError('connection reset', Code.Unavailable);
  };
  const lost = fetches(broken).fetch([file], { signal: never() });
  await expect(lost).rejects.toMatchObject({
    reason: 'EXCHANGE_LOST',
    message: expect.stringContaining('task q.1.0 on worker producer:8080 is lost: connection reset'),
    place: { taskId: 'q.1.0', worker: 'producer:8080', file: file.name },
  });
  expect(asked).toHaveLength(2);
  expect([inputs(), ours.heldBytes]).toEqual([[], 0]);
});

test('a file whose task has ended is lost at once, and can be had again when it is made again', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  producer.end(theirs);
  const here = fetches();
  await expect(here.fetch([file], { signal: never() })).rejects.toMatchObject({ reason: 'EXCHANGE_LOST' });
  expect(asked).toHaveLength(1);
  theirs = begin(producer, 'q.1.0');
  await write(theirs, '1.0.0', bytesOf(100));
  await here.fetch([file], { signal: never() });
});

test('a key that is not that of the session opens nothing', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  const denied = fetches().fetch([{ ...file, key: 'guessed' }], { signal: never() });
  await expect(denied).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  expect(producer.stats().servedBytes).toBe(0);
});

test('T2: a producer from which nothing comes has lost the file', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  const clock = new FakeClock();
  const silent: Fetch = async function* (_, { signal }) {
    yield chunk(bytesOf(10));
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  const ended = jest.fn();
  fetches(silent, clock).fetch([file], { signal: never() }).catch(ended);
  while (ours.fetchedBytes < 10) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(9_999);
  expect(ended).not.toHaveBeenCalled();
  await clock.advance(1);
  while (inputs().length > 0 || ended.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toHaveBeenCalledWith(
    expect.objectContaining({ reason: 'EXCHANGE_LOST', message: expect.stringContaining('no bytes came for 10.00s') }),
  );
});

test('T2: a producer that is busy is asked again', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  let refusals = 3;
  const busy: Fetch = (request, context) => {
    if (refusals-- > 0)
      throw rpcError(Code.ResourceExhausted, 'busy', {
        reason: 'EXCHANGE_BUSY',
        retryAfterMs: 1,
        neverProcessed: true,
      });
    return serve()(request, context);
  };
  await fetches(busy).fetch([file], { signal: never() });
  expect(asked).toHaveLength(4);
});

test('a worker sends to so many and refuses the next one in words', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(3 * CHUNK_BYTES));
  const fetch = serve(1);
  const context = { signal: never() } as Parameters<Fetch>[1];
  const request = { taskId: file.taskId, key: file.key, name: file.name, offset: 0n } as Parameters<Fetch>[0];
  const first = fetch(request, context)[Symbol.asyncIterator]();
  await first.next();
  const second = fetch(request, context)[Symbol.asyncIterator]();
  await expect(second.next()).rejects.toMatchObject({ rawMessage: expect.stringContaining('sends 1 exchange files') });
  await first.return?.();
  const third = fetch(request, context)[Symbol.asyncIterator]();
  expect((await third.next()).done).toBe(false);
  await third.return?.();
});

test('T3: a file that is longer or shorter than was said is lost', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  const here = fetches();
  for (const bytes of [99, 101])
    await expect(here.fetch([{ ...file, bytes }], { signal: never() })).rejects.toMatchObject({
      reason: 'EXCHANGE_LOST',
    });
  expect([inputs(), ours.heldBytes]).toEqual([[], 0]);
});

test('E2: files that do not fit are not fetched; copies that nobody uses make room', async () => {
  const small = stores.open(1_000);
  const session = begin(small, 'q.4.0');
  const here = fetches(serve(), systemClock, session, small);
  const files = await Promise.all([0, 1, 2].map((index) => write(theirs, `${index}.0.0`, bytesOf(400))));
  const signal = never();
  const [a, b, c] = files;
  const first = await here.fetch([a!, b!], { signal });
  await expect(here.fetch([c!], { signal })).rejects.toMatchObject({ reason: 'EXCEEDED_EXCHANGE_LIMIT' });
  first.release();
  await here.fetch([b!, c!], { signal });
  expect(session.heldBytes).toBe(800);
  expect(asked.map(({ name }) => name.charAt(0))).toEqual(expect.arrayContaining(['0', '1', '2']));
  expect(asked).toHaveLength(3);
});

test('F3: a transfer goes on while one of those who asked waits for it, and no longer', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  const left = jest.fn();
  const stuck: Fetch = async function* (_, { signal }) {
    yield chunk(bytesOf(1));
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    left();
  };
  const here = fetches(stuck);
  const [first, second] = [new AbortController(), new AbortController()];
  const failures = [first, second].map(({ signal }) => here.fetch([file], { signal }).catch((error: unknown) => error));
  while (ours.fetchedBytes === 0) await new Promise((resolve) => setImmediate(resolve));
  first.abort('no more');
  expect(await failures[0]).toBe('no more');
  expect(left).not.toHaveBeenCalled();
  second.abort('me neither');
  expect(await failures[1]).toBe('me neither');
  while (left.mock.calls.length === 0 || ours.heldBytes > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toHaveLength(1);
});

test('F3: a session that ends takes its transfers with it', async () => {
  const file = await write(theirs, '1.0.0', bytesOf(100));
  const stuck: Fetch = async function* (_, { signal }) {
    yield chunk(bytesOf(1));
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  };
  const failure = fetches(stuck).fetch([file], { signal: never() });
  while (ours.fetchedBytes === 0) await new Promise((resolve) => setImmediate(resolve));
  consumer.end(ours);
  await expect(failure).rejects.toThrow('task q.2.0 has ended');
});

test('F5, T4: however much there is to fetch, two streams run, and none is more than a few chunks ahead of the disk', async () => {
  const length = 8 * CHUNK_BYTES;
  let [open, openMax, sent, aheadMax] = [0, 0, 0, 0];
  const watched: Fetch = async function* (request, context) {
    openMax = Math.max(openMax, ++open);
    for await (const part of serve()(request, context)) {
      sent += part.chunk?.length ?? 0;
      aheadMax = Math.max(aheadMax, sent - ours.fetchedBytes);
      yield part;
    }
    open--;
  };
  consumer = stores.open();
  ours = begin(consumer, 'q.9.0');
  const files = await Promise.all([0, 1, 2, 3].map((index) => write(theirs, `${index}.0.0`, bytesOf(length))));
  await fetches(watched).fetch(files, { signal: never() });
  expect(openMax).toBe(2);
  expect(ours.fetchedBytes).toBe(4 * length);
  expect(aheadMax / CHUNK_BYTES).toBeLessThanOrEqual(2 * 4);
});
