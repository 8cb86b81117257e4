import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, type HandlerContext } from '@connectrpc/connect';
import {
  type CancelQueryRequest,
  type ExecuteQueryRequest,
  type ExecuteQueryResponseSchema,
  type QueryInfoSchema,
  QueryService,
  QueryState,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import { aborted, type Routes, rpcError } from '@tutti/service';

type Answer = MessageInitShape<typeof ExecuteQueryResponseSchema>;
type Script = (request: ExecuteQueryRequest, context: HandlerContext) => AsyncIterable<Answer>;

export const QUERY_ID = '20261122_151200_00001_k3x9q';

/** A message with the state of the one query. */
export const state = (
  queryState: QueryState,
  more: Omit<MessageInitShape<typeof QueryInfoSchema>, '$typeName'> = {},
): Answer => ({
  event: { case: 'query', value: { queryId: QUERY_ID, state: queryState, ...more } },
});

/** A message with the columns, given as "name TYPE". */
export const columns = (...definitions: string[]): Answer => ({
  event: {
    case: 'columns',
    value: { columns: definitions.map((text) => ({ name: text.split(' ')[0] ?? '', type: text.split(' ')[1] ?? '' })) },
  },
});

/** A message with rows, each the JSON text of an array. */
export const rows = (...lines: string[]): Answer => ({
  event: { case: 'jsonLines', value: new TextEncoder().encode(lines.map((line) => `${line}\n`).join('')) },
});

/** A coordinator that plays scripts, by statement, and remembers what it was asked. */
export class FakeCoordinator {
  readonly requests: ExecuteQueryRequest[] = [];
  readonly cancelRequests: CancelQueryRequest[] = [];
  /** Queries whose client has left. */
  clientsGone = 0;
  /** Messages that were taken from scripts. */
  messagesSent = 0;
  /** False: CancelQuery is taken, and never answered. */
  answersCancel = true;
  private readonly canceled = new AbortController();

  constructor(private readonly scripts: Readonly<Record<string, Script>> = {}) {}

  /** Aborts when CancelQuery is called. */
  get cancelSignal(): AbortSignal {
    return this.canceled.signal;
  }

  readonly routes: Routes = (router) => {
    // eslint-disable-next-line @typescript-eslint/no-this-alias
    const coordinator = this;
    router.service(QueryService, {
      async *executeQuery(request, context) {
        coordinator.requests.push(request);
        context.signal.addEventListener('abort', () => (coordinator.clientsGone += 1), { once: true });
        const script = coordinator.scripts[request.statement] ?? SCRIPTS[request.statement];
        if (script === undefined) throw rpcError(Code.InvalidArgument, 'no such script', { reason: 'SYNTAX_ERROR' });
        for await (const answer of script(request, context)) {
          coordinator.messagesSent += 1;
          yield answer;
        }
      },
      async cancelQuery(request, { signal }) {
        coordinator.cancelRequests.push(request);
        coordinator.canceled.abort();
        if (!coordinator.answersCancel) await aborted(signal);
        return { query: { queryId: request.queryId, state: QueryState.CANCELED } };
      },
    });
  };

  /** A query that runs until it is canceled or its client leaves. */
  readonly endless: Script = async function* (this: void, _request, context) {
    yield state(QueryState.RUNNING);
    await aborted(context.signal);
  };

  /** A query that runs until CancelQuery, and then says so as a coordinator does. */
  untilCanceled(): Script {
    const { signal } = this.canceled;
    return async function* () {
      yield state(QueryState.RUNNING);
      await aborted(signal);
      throw rpcError(Code.Canceled, 'Query was canceled', { reason: 'USER_CANCELED' });
    };
  }
}

/** Statements that every fake coordinator knows. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  'SELECT 1': async function* () {
    yield state(QueryState.QUEUED);
    yield state(QueryState.RUNNING, { stats: { workerIds: ['w1'] } });
    yield columns('n BIGINT');
    yield rows('["1"]');
    yield state(QueryState.FINISHED, { stats: { workerIds: ['w1'], rows: 1n } });
  },
  'SELECT none': async function* () {
    yield state(QueryState.RUNNING);
    yield columns('n BIGINT');
    yield state(QueryState.FINISHED);
  },
  'SELECT nme\nFORM t': async function* () {
    yield state(QueryState.QUEUED);
    throw rpcError(Code.InvalidArgument, 'syntax error at or near "FORM"', {
      reason: 'SYNTAX_ERROR',
      metadata: { line: '2', column: '1' },
    });
  },
  'SELECT broken off': async function* () {
    yield state(QueryState.RUNNING);
    yield columns('n BIGINT');
    yield rows('["1"]', '["2"]');
  },
};
