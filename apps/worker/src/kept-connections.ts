// Connections to the edge ports of other workers, kept open between sessions: a query is over in less time than it takes two busy
// workers to greet each other.
//   C1. There is one connection per address, however many sessions use it.
//   C2. One that no session uses is closed after keptMs; of those at most keptMax are open, and the oldest goes first.
//   C3. After close() none is open that no session uses, and none is kept any more.
import type { Clock } from '@tutti/base';
import type { ClosableTransport } from '@tutti/service';

export interface KeptConnectionsOptions {
  readonly create: (address: string) => ClosableTransport;
  /** How long one that nobody uses stays open. */
  readonly keptMs: number;
  /** How many of those there may be. */
  readonly keptMax: number;
  readonly clock: Clock;
}

interface Connection {
  readonly address: string;
  readonly transport: ClosableTransport;
  users: number;
  cancel: () => void;
}

export class KeptConnections {
  private readonly open = new Map<string, Connection>();
  /** Those that nobody uses, the oldest first. */
  private readonly unused = new Set<Connection>();
  private isClosed = false;

  constructor(private readonly options: KeptConnectionsOptions) {}

  /** The connection to an address. close() of what comes back gives it up, and does not break what others do with it. */
  readonly connect = (address: string): ClosableTransport => {
    const connection = this.open.get(address) ?? this.create(address);
    connection.cancel();
    this.unused.delete(connection);
    connection.users++;
    let isLeft = false;
    const close = () => {
      if (isLeft) return;
      isLeft = true;
      if (--connection.users === 0) this.keep(connection);
    };
    return { ...connection.transport, close };
  };

  /** Closes those that nobody uses; the others are closed by their last user. */
  close(): void {
    this.isClosed = true;
    for (const connection of [...this.unused]) this.drop(connection);
  }

  private create(address: string): Connection {
    const connection = { address, transport: this.options.create(address), users: 0, cancel: () => {} };
    this.open.set(address, connection);
    return connection;
  }

  private keep(connection: Connection): void {
    if (this.isClosed) return this.drop(connection);
    const { clock, keptMs, keptMax } = this.options;
    connection.cancel = clock.schedule(keptMs, () => this.drop(connection));
    this.unused.add(connection);
    const [oldest] = this.unused;
    if (this.unused.size > keptMax && oldest !== undefined) this.drop(oldest);
  }

  private drop(connection: Connection): void {
    connection.cancel();
    this.unused.delete(connection);
    this.open.delete(connection.address);
    connection.transport.close();
  }
}
