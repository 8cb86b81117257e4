import { type Client, ConnectError } from '@connectrpc/connect';
import {
  type ExecuteQueryResponse,
  type QueryInfo,
  type QueryService,
  QueryState,
} from '@tutti/contracts/tutti/query/v1/query_pb';

/** What a client has heard of its query so far, and how the call ended. */
export class Listening {
  readonly events: ExecuteQueryResponse['event'][] = [];
  error: ConnectError | undefined;
  over = false;
  private readonly leaving = new AbortController();

  constructor(client: Client<typeof QueryService>, request: Parameters<typeof client.executeQuery>[0]) {
    void this.listen(client.executeQuery(request, { signal: this.leaving.signal }));
  }

  leave(): void {
    this.leaving.abort();
  }

  /** The states in the order in which they were told. */
  get states(): string[] {
    return this.queries.map(({ state }) => QueryState[state]);
  }

  get queries(): QueryInfo[] {
    return this.events.flatMap((event) => (event.case === 'query' ? [event.value] : []));
  }

  get last(): QueryInfo | undefined {
    return this.queries.at(-1);
  }

  get rowCount(): number {
    return this.events.reduce((sum, event) => sum + (event.case === 'rows' ? event.value.rows.length : 0), 0);
  }

  private async listen(stream: AsyncIterable<ExecuteQueryResponse>): Promise<void> {
    try {
      for await (const { event } of stream) this.events.push(event);
    } catch (error) {
      this.error = ConnectError.from(error);
    }
    this.over = true;
  }
}
