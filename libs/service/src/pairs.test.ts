// Every server with every client: a service must not be able to tell what is underneath.
import { Code, ConnectError, type ServiceImpl, createClient } from '@connectrpc/connect';
import { createClusterTransport } from './cluster-transport.js';
import { createEdgeTransport } from './edge/edge-transport.js';
import { readRpcError, rpcError } from './errors.js';
import { MESSAGE_BYTES_MAX } from './limits.js';
import { readStream } from './read-stream.js';
import { EchoService } from './testing/echo.js';
import { Gate, until } from './testing/gate.js';
import { type TestServer, createTestServer } from './testing/test-server.js';

const CHUNK = new Uint8Array(64 * 1024);

describe.each([
  ['the cluster port', 'cluster'],
  ['the edge port', 'edge'],
] as const)('%s', (_, portName) => {
  describe.each([
    ['a grpc-js client', 'grpcjs'],
    ['a Connect client', 'connect'],
  ] as const)('and %s', (_, clientKind) => {
    let server: TestServer;
    let close: () => void;
    let implementation: Partial<ServiceImpl<typeof EchoService>>;

    /** Starts a server and a client around an implementation. */
    async function start(echo: Partial<ServiceImpl<typeof EchoService>>) {
      implementation = echo;
      server = await createTestServer({ routes: (router) => router.service(EchoService, implementation) });
      const port = portName === 'cluster' ? server.ports.cluster : server.ports.edge;
      const transport =
        clientKind === 'grpcjs'
          ? createClusterTransport({ address: `127.0.0.1:${port}` })
          : createEdgeTransport({ url: `http://127.0.0.1:${port}` });
      close = () => transport.close();
      return createClient(EchoService, transport);
    }

    afterEach(async () => {
      close();
      await server.drain();
    });

    const failure = async (work: Promise<unknown>): Promise<ConnectError> => {
      try {
        await work;
      } catch (error) {
        return error as ConnectError;
      }
      throw new Error('the call did not fail');
    };

    const texts = async (stream: AsyncIterable<{ text: string }>): Promise<string[]> => {
      const found: string[] = [];
      for await (const { text } of stream) found.push(text);
      return found;
    };

    test('a unary call carries message, headers and trailers both ways', async () => {
      const client = await start({
        unary(request, context) {
          context.responseHeader.set('x-head', context.requestHeader.get('x-ask') ?? '');
          context.responseTrailer.set('x-tail', 'tail');
          return { text: `hello ${request.text}`, count: request.count + 1 };
        },
      });
      let head: string | null = null;
      let tail: string | null = null;
      const response = await client.unary(
        { text: 'world', count: 1 },
        {
          headers: { 'x-ask': 'asked' },
          onHeader: (headers) => (head = headers.get('x-head')),
          onTrailer: (trailers) => (tail = trailers.get('x-tail')),
        },
      );
      expect(response).toMatchObject({ text: 'hello world', count: 2 });
      expect([head, tail]).toEqual(['asked', 'tail']);
    });

    test('a server stream brings every message in order, and then the trailers', async () => {
      const client = await start({
        async *serverStream({ count }, context) {
          for (let i = 0; i < count; i++) yield { text: String(i) };
          context.responseTrailer.set('x-tail', 'tail');
        },
      });
      let tail: string | null = null;
      const options = { onTrailer: (trailers: Headers) => (tail = trailers.get('x-tail')) };
      const found = await texts(client.serverStream({ count: 100 }, options));
      expect(found).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
      expect(tail).toBe('tail');
    });

    test('a server stream may be empty', async () => {
      const client = await start({ async *serverStream() {} });
      expect(await texts(client.serverStream({}))).toEqual([]);
    });

    test('a client stream is read to its end before it is answered', async () => {
      const client = await start({
        async clientStream(requests) {
          let count = 0;
          for await (const request of requests) count += request.count;
          return { count };
        },
      });
      async function* numbers() {
        for (let count = 1; count <= 100; count++) yield { count };
      }
      expect(await client.clientStream(numbers())).toMatchObject({ count: 5050 });
    });

    test('a client stream may be answered before its end', async () => {
      const client = await start({
        async clientStream(requests) {
          for await (const request of requests) return { text: `first was ${request.text}` };
          return {};
        },
      });
      const answered = new Gate();
      async function* endless() {
        yield { text: 'a' };
        await answered.opened;
      }
      expect(await client.clientStream(endless())).toMatchObject({ text: 'first was a' });
      answered.open();
    });

    test('a bidi stream goes back and forth, and the server may speak after the client has half-closed', async () => {
      const client = await start({
        async *bidi(requests) {
          for await (const { text } of requests) yield { text: `re: ${text}` };
          yield { text: 'bye' };
        },
      });
      const gates = [new Gate(), new Gate()];
      async function* questions() {
        yield { text: 'one' };
        await gates[0]?.opened; // The second question comes only after the first answer.
        yield { text: 'two' };
        await gates[1]?.opened;
      }
      const found: string[] = [];
      for await (const { text } of client.bidi(questions())) {
        found.push(text);
        gates[found.length - 1]?.open();
      }
      expect(found).toEqual(['re: one', 're: two', 'bye']);
    });

    test('an error keeps code, message, reason, metadata and retry delay', async () => {
      const client = await start({
        unary() {
          throw rpcError(Code.ResourceExhausted, 'Too many queued queries for "global" – später', {
            reason: 'QUERY_QUEUE_FULL',
            metadata: { group: 'global' },
            retryAfterMs: 1500,
          });
        },
      });
      expect(readRpcError(await failure(client.unary({})))).toEqual({
        code: Code.ResourceExhausted,
        message: 'Too many queued queries for "global" – später',
        reason: 'QUERY_QUEUE_FULL',
        metadata: { group: 'global' },
        retryAfterMs: 1500,
        neverProcessed: false,
      });
    });

    test('an error after some messages comes after these messages, with its details', async () => {
      const client = await start({
        async *serverStream() {
          for (let i = 0; i < 5; i++) yield { text: String(i) };
          throw rpcError(Code.Unavailable, 'gone', { reason: 'WORKER_LOST', neverProcessed: true });
        },
      });
      const found: string[] = [];
      const error = await failure(
        (async () => {
          for await (const { text } of client.serverStream({})) found.push(text);
        })(),
      );
      expect(found).toEqual(['0', '1', '2', '3', '4']);
      expect(readRpcError(error)).toMatchObject({
        code: Code.Unavailable,
        reason: 'WORKER_LOST',
        neverProcessed: true,
      });
    });

    test('an error that is no ConnectError says nothing to the client, and everything to the log', async () => {
      const client = await start({
        unary() {
          throw new Error('secret');
        },
        async *serverStream() {
          yield { text: 'first' };
          throw new Error('secret');
        },
      });
      const unary = await failure(client.unary({}));
      expect([unary.code, unary.rawMessage]).toEqual([Code.Internal, 'internal error']);
      const stream = await failure(texts(client.serverStream({})));
      expect([stream.code, stream.rawMessage]).toEqual([Code.Internal, 'internal error']);
      const logged = server.log.lines.filter(({ event }) => event === 'call-failed');
      expect(logged.map(({ fields }) => [fields['method'], (fields['error'] as Error).message])).toEqual([
        ['Unary', 'secret'],
        ['ServerStream', 'secret'],
      ]);
    });

    test('a message of an error that would not fit into a header is shortened', async () => {
      const client = await start({
        unary() {
          throw rpcError(Code.InvalidArgument, 'x'.repeat(100_000), { reason: 'SYNTAX_ERROR' });
        },
      });
      const error = readRpcError(await failure(client.unary({})));
      expect(error).toMatchObject({ code: Code.InvalidArgument, reason: 'SYNTAX_ERROR' });
      expect(error.message.length).toBeLessThan(5_000);
    });

    test('a method without an implementation answers UNIMPLEMENTED', async () => {
      const client = await start({});
      expect((await failure(client.unary({}))).code).toBe(Code.Unimplemented);
    });

    test('a deadline ends the call here and there', async () => {
      const ended = new Gate<number>();
      const client = await start({
        async unary(_request, context) {
          await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
          ended.open(ConnectError.from(context.signal.reason).code);
          return {};
        },
      });
      expect((await failure(client.unary({}, { timeoutMs: 100 }))).code).toBe(Code.DeadlineExceeded);
      expect([Code.DeadlineExceeded, Code.Canceled]).toContain(await ended.opened);
    });

    test('a deadline ends a stream, and its finally blocks run', async () => {
      const ended = new Gate();
      const client = await start({
        async *serverStream(_request, context) {
          try {
            yield { text: 'first' };
            await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
          } finally {
            ended.open();
          }
        },
      });
      const error = await failure(texts(client.serverStream({}, { timeoutMs: 200 })));
      expect(error.code).toBe(Code.DeadlineExceeded);
      await ended.opened;
    });

    test('a canceled unary call aborts its handler', async () => {
      const entered = new Gate();
      const ended = new Gate();
      const client = await start({
        async unary(_request, context) {
          entered.open();
          await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
          ended.open();
          return {};
        },
      });
      const controller = new AbortController();
      const call = failure(client.unary({}, { signal: controller.signal }));
      await entered.opened;
      controller.abort();
      expect((await call).code).toBe(Code.Canceled);
      await ended.opened;
    });

    test('a server that ends a bidi call ends the client that is still sending', async () => {
      const client = await start({
        async *bidi(requests) {
          for await (const { text } of requests) {
            yield { text };
            throw rpcError(Code.Aborted, 'enough', { reason: 'ENOUGH' });
          }
        },
      });
      const stopped = new Gate();
      async function* endless() {
        try {
          yield { text: 'a' };
          for (;;) {
            await new Promise((resolve) => setImmediate(resolve));
            yield { text: 'more' };
          }
        } finally {
          stopped.open();
        }
      }
      const error = await failure(texts(client.bidi(endless())));
      expect(readRpcError(error)).toMatchObject({ code: Code.Aborted, reason: 'ENOUGH' });
      await stopped.opened;
    });

    test('a handler that waits for its client hears of a cancel', async () => {
      const entered = new Gate();
      const ended = new Gate();
      const client = await start({
        async *bidi(requests) {
          try {
            for await (const { text } of requests) {
              yield { text };
              entered.open();
            }
          } finally {
            ended.open();
          }
        },
      });
      const controller = new AbortController();
      async function* silent() {
        yield { text: 'a' };
        await ended.opened;
      }
      const call = failure(texts(client.bidi(silent(), { signal: controller.signal })));
      await entered.opened;
      controller.abort();
      expect((await call).code).toBe(Code.Canceled);
      await ended.opened;
    });

    test('leaving a stream early stops its handler, also one that waits for a full connection', async () => {
      const calls = 10;
      let finished = 0;
      const client = await start({
        async *serverStream() {
          try {
            for (;;) yield { data: CHUNK };
          } finally {
            finished++;
          }
        },
      });
      for (let i = 0; i < calls; i++) {
        for await (const _ of readStream((signal) => client.serverStream({}, { signal }))) break;
      }
      await until(() => finished === calls);
    });

    test('a reader that does not read holds the writer back', async () => {
      let produced = 0;
      const client = await start({
        async *serverStream() {
          for (;;) {
            produced++;
            yield { data: CHUNK };
          }
        },
      });
      const controller = new AbortController();
      const stream = client.serverStream({}, { signal: controller.signal })[Symbol.asyncIterator]();
      await stream.next();
      await settled(() => produced);
      // Windows of 4 MiB on both sides, and what the libraries hold themselves.
      expect(produced * CHUNK.length).toBeLessThan(24 * 1024 * 1024);
      controller.abort();
    });

    test('a handler that does not read holds the sender back', async () => {
      let sent = 0;
      const entered = new Gate();
      const release = new Gate();
      const client = await start({
        async clientStream(requests) {
          for await (const _ of requests) {
            entered.open();
            await release.opened;
            break;
          }
          return {};
        },
      });
      async function* endless() {
        for (;;) {
          sent++;
          yield { data: CHUNK };
        }
      }
      const call = client.clientStream(endless());
      await entered.opened;
      await settled(() => sent);
      expect(sent * CHUNK.length).toBeLessThan(24 * 1024 * 1024);
      release.open();
      await call.catch(() => undefined);
    });

    test('messages over the limit end the call with RESOURCE_EXHAUSTED, in both directions', async () => {
      const large = new Uint8Array(MESSAGE_BYTES_MAX + 1);
      const client = await start({
        unary: ({ text }) => (text === 'answer' ? { data: large } : {}),
        async *serverStream() {
          yield { data: large };
        },
      });
      const tooLarge = await failure(client.unary({ data: large }));
      expect(tooLarge.code).toBe(Code.ResourceExhausted);
      const answer = await failure(client.unary({ text: 'answer' }));
      expect(answer.code).toBe(Code.ResourceExhausted);
      const stream = await failure(texts(client.serverStream({})));
      expect(stream.code).toBe(Code.ResourceExhausted);
    });

    test('a message just under the limit passes', async () => {
      const client = await start({ unary: ({ data }) => ({ count: data.length }) });
      const length = MESSAGE_BYTES_MAX - 16;
      expect(await client.unary({ data: new Uint8Array(length) })).toMatchObject({ count: length });
    });

    test('an address where nobody listens is UNAVAILABLE, and nobody has seen the call', async () => {
      const client = await start({ unary: () => ({}) });
      await client.unary({});
      await server.drain();
      const error = readRpcError(await failure(client.unary({})));
      expect(error).toMatchObject({ code: Code.Unavailable, neverProcessed: true });
    });

    test('many calls at once keep apart', async () => {
      const client = await start({ unary: ({ count }) => ({ count: count * 2 }) });
      const answers = await Promise.all(Array.from({ length: 200 }, (_, count) => client.unary({ count })));
      expect(answers.map(({ count }) => count)).toEqual(Array.from({ length: 200 }, (_, count) => count * 2));
    });
  });
});

/** Resolves when a number has stopped growing for many turns of the event loop. */
async function settled(read: () => number): Promise<void> {
  const QUIET_TURNS = 2_000;
  for (let last = -1, quiet = 0; quiet < QUIET_TURNS; quiet = read() === last ? quiet + 1 : 0) {
    last = read();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
