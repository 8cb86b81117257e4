import { type Client, Code, createClient } from '@connectrpc/connect';
import { QueryService, QueryState } from '@tutti/contracts/tutti/query/v1/query_pb';
import { createEdgeTransport, readRpcError } from '@tutti/service';

export interface SentQuery {
  /** A query of this length costs next to no CPU. */
  readonly sleepMs: number;
  readonly user?: string;
  readonly source?: string;
}

export interface QueryOutcome {
  /** On the wall clock of this machine. */
  readonly sentMs: number;
  /** Why it failed: the reason of the server, or the kind of a fault of the connection; undefined when it did not. */
  readonly failure: string | undefined;
}

const TIMEOUT_MS = 60_000;

/** Sends queries to one coordinator. */
export class QuerySender {
  private readonly transport;
  private readonly client: Client<typeof QueryService>;

  constructor(
    readonly coordinatorId: string,
    url: string,
  ) {
    this.transport = createEdgeTransport({ url });
    this.client = createClient(QueryService, this.transport);
  }

  /** Runs a query to its end; failures are an outcome. */
  async send({ sleepMs, user = 'bench', source = 'bench' }: SentQuery): Promise<QueryOutcome> {
    const sentMs = Date.now();
    const statement = `SELECT sleep_ms(${sleepMs})::INTEGER AS slept`;
    try {
      let state: QueryState | undefined;
      const request = { statement, session: { user, source } };
      for await (const { event } of this.client.executeQuery(request, { timeoutMs: TIMEOUT_MS }))
        if (event.case === 'query') state = event.value.state;
      return { sentMs, failure: state === QueryState.FINISHED ? undefined : 'UNFINISHED' };
    } catch (error) {
      const { reason, code } = readRpcError(error);
      return { sentMs, failure: reason ?? Code[code] };
    }
  }

  close(): void {
    this.transport.close();
  }
}
