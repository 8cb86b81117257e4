import { Code } from '@connectrpc/connect';
import { WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import { readRpcError } from '@tutti/service';
import { Listening, oneGroup, TestCluster } from './testing/test-cluster.js';

const OTHER = 'another process with node id "c1" (a coordinator, started later, at b:9090) is in the cluster';

describe('a coordinator whose node id another process has', () => {
  const cluster = new TestCluster(['rm']);
  afterAll(() => cluster.stop());

  test('says so to who waits, and refuses what is new: it may be sent to another one', async () => {
    const worker = cluster.worker('w1');
    const c1 = cluster.coordinator('c1', 'aaaaa', oneGroup(1));
    const running = new Listening(c1.client, { statement: 'hold' });
    await cluster.until(() => running.states.at(-1) === 'RUNNING', 1);
    const waiting = new Listening(c1.client, { statement: 'hold' });
    await cluster.clock.advance(1_000);
    expect(waiting.last?.waitReason?.kind).toBe(WaitKind.CONCURRENCY_LIMIT);

    c1.nameTaken(OTHER);
    await cluster.clock.advance(1_000);
    expect(waiting.last?.waitReason).toMatchObject({
      kind: WaitKind.RESOURCE_MANAGERS_UNREACHABLE,
      message: `waits in "global": no slots are dealt to this coordinator: ${OTHER}`,
    });
    const refusal = await c1.client.submitQuery({ statement: 'hold' }).catch((error: unknown) => readRpcError(error));
    expect(refusal).toMatchObject({ code: Code.Unavailable, reason: 'NODE_ID_TAKEN', neverProcessed: true });
    expect(running.states.at(-1)).toBe('RUNNING');
    worker.end('finish');
  });
});
