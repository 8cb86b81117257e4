import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { createClient } from '@connectrpc/connect';
import { ExecuteQueryResponseSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import { createEdgeTransport } from './edge/edge-transport.js';
import { largeMessage, withEncoded } from './large-message.js';
import { EchoService } from './testing/echo.js';
import { createTestServer } from './testing/test-server.js';

const EchoSchema = EchoService.method.unary.output;
const bytes = (length: number, seed: number) => new Uint8Array(length).map((_, index) => (index * 7 + seed) % 251);

test('a message in two parts is the message, whatever else is in it', () => {
  const echo = create(EchoSchema, { text: 'täxt', count: -5, data: bytes(100_000, 1) });
  const event = create(ExecuteQueryResponseSchema, { event: { case: 'parquet', value: bytes(300_000, 2) } });
  for (const [schema, message] of [
    [EchoSchema, echo],
    [ExecuteQueryResponseSchema, event],
  ] as const) {
    const large = largeMessage(schema, message);
    const wire = Buffer.concat([large?.head ?? [], large?.bytes ?? []].map((part) => Uint8Array.from(part)));
    expect(fromBinary(schema, wire)).toEqual(message);
  }
  expect(echo.data).toHaveLength(100_000);
});

test('its bytes are not copied', () => {
  const data = bytes(100_000, 3);
  expect(largeMessage(EchoSchema, create(EchoSchema, { data }))?.bytes).toBe(data);
});

test.each([[100], [100_000]])('a field that was encoded before, of %d bytes, is sent as it is', (length) => {
  const text = 'é'.repeat(length / 2);
  const data = new BinaryWriter().string(text).finish();
  const message = withEncoded(EchoSchema, EchoSchema.field.text, data);
  const large = largeMessage(EchoSchema, message);
  expect(large?.bytes).toBe(length < 16_384 ? undefined : data);
  const wire = large === undefined ? toBinary(EchoSchema, message) : Buffer.concat([large.head, large.bytes]);
  expect(fromBinary(EchoSchema, Uint8Array.from(wire))).toEqual(create(EchoSchema, { text }));
});

test('small messages are left to the general encoder', () => {
  expect(
    largeMessage(EchoSchema, create(EchoSchema, { text: 'x'.repeat(100_000), data: bytes(100, 4) })),
  ).toBeUndefined();
});

test.each(['grpc', 'connect', 'grpc-web'] as const)(
  'large and small messages of a %s stream keep their order, and its error follows them',
  async (protocol) => {
    const sizes = [0, 200_000, 10, 300_000, 300_000, 16_383, 16_384, 4 * 1024 * 1024 - 10, 1];
    const server = await createTestServer({
      routes: (router) =>
        router.service(EchoService, {
          async *serverStream() {
            for (const [count, size] of sizes.entries()) yield { count, data: bytes(size, count) };
            await Promise.reject(new Error('the end'));
          },
        }),
    });
    const transport = createEdgeTransport({ url: server.edgeUrl, protocol });
    const heard: string[] = [];
    const read = async () => {
      for await (const { count, data } of createClient(EchoService, transport).serverStream({}))
        heard.push(`${count} ${data.length} ${Buffer.compare(data, bytes(data.length, count))}`);
    };
    await expect(read()).rejects.toThrow('internal error');
    expect(heard).toEqual(sizes.map((size, count) => `${count} ${size} 0`));
    transport.close();
    await server.drain();
  },
);
