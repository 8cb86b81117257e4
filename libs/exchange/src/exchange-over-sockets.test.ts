// Two workers' ends of the exchange over real sockets.
import { readFileSync } from 'node:fs';
import { seededRandom, systemClock } from '@tutti/base';
import { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import { createEdgeTransport } from '@tutti/service';
import { createTestServer, type TestServer } from '@tutti/service/testing';
import { ExchangeFetcher } from './exchange-fetcher.js';
import { CHUNK_BYTES, exchangeService } from './exchange-service.js';
import type { ExchangeStore } from './exchange-store.js';
import { begin, bytesOf, TestStores, write } from './testing/exchange-fixture.js';

let stores: TestStores;
let producer: ExchangeStore;
let consumer: ExchangeStore;
let server: TestServer;
const { signal } = new AbortController();

beforeEach(async () => {
  stores = new TestStores();
  [producer, consumer] = [stores.open(), stores.open()];
  const { fetchExchange } = exchangeService({ store: producer, streamsMax: 8 });
  server = await createTestServer({ routes: (router) => router.service(TaskService, { fetchExchange }) });
});
afterEach(async () => {
  expect(await stores.close()).toEqual([]);
  await server.drain();
});

function fetcher(): ExchangeFetcher {
  const connect = (address: string) => createEdgeTransport({ url: `http://${address}` });
  const limits = { streamsMax: 4, progressTimeoutMs: 10_000 };
  return new ExchangeFetcher({ store: consumer, connect, ...limits, clock: systemClock, random: seededRandom(1) });
}

const edgeAddress = () => server.edgeUrl.slice('http://'.length);

test('files of several megabytes come whole, several at a time', async () => {
  const theirs = begin(producer, 'q.1.0');
  const contents = [3, 0, 5, 1, 8].map((chunks) => bytesOf(chunks * CHUNK_BYTES + chunks));
  const files = await Promise.all(contents.map((content, index) => write(theirs, `${index}.0.0`, content)));
  const ours = begin(consumer, 'q.2.0');
  const { paths } = await fetcher()
    .for(ours)
    .fetch(
      files.map((file) => ({ ...file, edgeAddress: edgeAddress() })),
      { signal },
    );
  for (const [index, content] of contents.entries())
    expect(readFileSync(paths[index] ?? '').equals(content)).toBe(true);
});

test('the files of a worker that is gone are lost, and it is named', async () => {
  const file = await write(begin(producer, 'q.1.0'), '1.0.0', bytesOf(100));
  const address = edgeAddress();
  await server.drain();
  const lost = fetcher()
    .for(begin(consumer, 'q.2.0'))
    .fetch([{ ...file, edgeAddress: address }], { signal });
  await expect(lost).rejects.toMatchObject({
    reason: 'EXCHANGE_LOST',
    message: expect.stringContaining(`task q.1.0 on worker ${address} is lost`),
  });
});

test('a worker that stops in the middle of a file has lost it', async () => {
  const file = await write(begin(producer, 'q.1.0'), '1.0.0', bytesOf(50 * CHUNK_BYTES));
  let stopped: Promise<void> | undefined;
  const lost = fetcher()
    .for(begin(consumer, 'q.2.0'))
    .fetch([{ ...file, edgeAddress: edgeAddress() }], { signal, progress: () => void (stopped ??= server.drain()) });
  await expect(lost).rejects.toMatchObject({ reason: 'EXCHANGE_LOST' });
  await stopped;
});
