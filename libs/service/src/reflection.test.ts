// Health and reflection as people meet them: through `buf curl`, which knows no schema but what the port tells.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { createClient } from '@connectrpc/connect';
import { Health } from '@tutti/contracts/grpc/health/v1/health_pb';
import { ServerReflection } from '@tutti/contracts/grpc/reflection/v1/reflection_pb';
import { HeartbeatService } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { QueryService } from '@tutti/contracts/tutti/query/v1/query_pb';
import { createClusterTransport } from './cluster-transport.js';
import { EchoService } from './testing/echo.js';
import { memoryTransport, type TestServer, createTestServer } from './testing/test-server.js';
import { mountReflection } from './reflection.js';

const BUF = join(__dirname, '../../../node_modules/@bufbuild/buf/bin/buf');
const run = promisify(execFile);

describe('a port tells what it serves', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await createTestServer({
      routes(router) {
        router.service(EchoService, {
          unary: ({ text }) => ({ text: `hello ${text}` }),
          async *bidi(requests) {
            for await (const { text } of requests) yield { text: `re: ${text}` };
          },
        });
        router.service(QueryService, { listQueries: () => ({}) });
      },
    });
    server.setReady(true);
  });
  afterAll(() => server.drain());

  async function bufCurl(port: 'cluster' | 'edge', path: string, ...args: string[]): Promise<string> {
    const url = `http://127.0.0.1:${server.ports[port]}${path}`;
    const { stdout } = await run(process.execPath, [
      BUF,
      'curl',
      '--protocol',
      'grpc',
      '--http2-prior-knowledge',
      ...args,
      url,
    ]);
    return stdout;
  }

  describe.each([
    ['cluster', 'grpc-v1'],
    ['cluster', 'grpc-v1alpha'],
    ['edge', 'grpc-v1'],
    ['edge', 'grpc-v1alpha'],
  ] as const)('on the %s port through %s', (port, version) => {
    const reflect = ['--reflect-protocol', version];

    test('buf curl lists its services and methods', async () => {
      const [services, methods] = await Promise.all([
        bufCurl(port, '', '--list-services', ...reflect),
        bufCurl(port, '', '--list-methods', ...reflect),
      ]);
      expect(services.trim().split('\n').sort()).toEqual([
        'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection',
        'grpc.reflection.v1alpha.ServerReflection',
        'tutti.query.v1.QueryService',
        'tutti.testing.v1.EchoService',
      ]);
      expect(methods).toContain('tutti.query.v1.QueryService/ExecuteQuery');
    });

    test('buf curl calls a method whose messages import other files, and a health check', async () => {
      const [echo, list, health] = await Promise.all([
        bufCurl(port, '/tutti.testing.v1.EchoService/Unary', '-d', '{"text":"world"}', ...reflect),
        bufCurl(port, '/tutti.query.v1.QueryService/ListQueries', '-d', '{}', ...reflect),
        bufCurl(port, '/grpc.health.v1.Health/Check', '-d', '{"service":"tutti.query.v1.QueryService"}', ...reflect),
      ]);
      expect(JSON.parse(echo)).toEqual({ text: 'hello world' });
      expect(JSON.parse(list)).toEqual({});
      expect(JSON.parse(health)).toEqual({ status: 'SERVING' });
    });
  });

  test('buf curl speaks Connect and gRPC-Web to the edge port', async () => {
    for (const protocol of ['connect', 'grpcweb']) {
      const url = `http://127.0.0.1:${server.ports.edge}/tutti.testing.v1.EchoService/Unary`;
      const args = ['curl', '--protocol', protocol, '--http2-prior-knowledge', '-d', '{"text":"world"}', url];
      const { stdout } = await run(process.execPath, [BUF, ...args]);
      expect(JSON.parse(stdout)).toEqual({ text: 'hello world' });
    }
  });

  test('the health port answers gRPC health checks, as the probes of Kubernetes ask', async () => {
    const transport = createClusterTransport({ address: `127.0.0.1:${server.ports.health}` });
    const health = createClient(Health, transport);
    for (const service of ['', 'liveness', 'readiness', 'tutti.query.v1.QueryService']) {
      expect((await health.check({ service })).status).toBe(1);
    }
    await expect(health.check({ service: 'nobody' })).rejects.toMatchObject({ rawMessage: 'unknown service "nobody"' });
    transport.close();
  });
});

describe('reflection', () => {
  const transport = memoryTransport((router) => mountReflection(router, [HeartbeatService]));
  const client = createClient(ServerReflection, transport);

  async function ask(...requests: Parameters<typeof message>[]) {
    async function* questions() {
      for (const [name, value] of requests) yield message(name, value);
    }
    const answers = [];
    for await (const { messageResponse } of client.serverReflectionInfo(questions())) answers.push(messageResponse);
    return answers;
  }
  const message = (name: 'fileContainingSymbol' | 'fileByFilename' | 'allExtensionNumbersOfType', value: string) => ({
    messageRequest: { case: name, value },
  });
  const names = (answer: Awaited<ReturnType<typeof ask>>[number] | undefined): string[] =>
    answer?.case === 'fileDescriptorResponse'
      ? answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name)
      : [];

  test('a file comes with all its imports, and no import twice on a stream', async () => {
    const [first, second] = await ask(
      ['fileContainingSymbol', 'tutti.heartbeat.v1.HeartbeatService'],
      ['fileByFilename', 'tutti/heartbeat/v1/heartbeat.proto'],
    );
    expect(names(first)[0]).toBe('tutti/heartbeat/v1/heartbeat.proto');
    expect(new Set(names(first)).size).toBe(names(first).length);
    expect(names(second)).toEqual(['tutti/heartbeat/v1/heartbeat.proto']);
  });

  test('finds messages, methods, fields and enum values; says when there is nothing', async () => {
    const known = [
      'tutti.heartbeat.v1.ReportNodeRequest',
      'tutti.heartbeat.v1.HeartbeatService.ReportNode',
      '.tutti.heartbeat.v1.HeartbeatService',
    ];
    const answers = await ask(
      ...known.map((symbol) => ['fileContainingSymbol', symbol] as ['fileContainingSymbol', string]),
    );
    expect(answers.map((answer) => names(answer)[0])).toEqual(known.map(() => 'tutti/heartbeat/v1/heartbeat.proto'));
    const [missing] = await ask(['fileContainingSymbol', 'tutti.Nothing']);
    expect(missing).toMatchObject({
      case: 'errorResponse',
      value: { errorCode: 5, errorMessage: 'tutti.Nothing not found' },
    });
  });
});
