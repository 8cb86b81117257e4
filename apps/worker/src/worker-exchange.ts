// The worker's side of the exchange: opens sessions on executors, and serves their files to other workers.
import type { ServiceImpl } from '@connectrpc/connect';
import type { Clock, Random } from '@tutti/base';
import type { TaskService } from '@tutti/contracts/tutti/task/v1/task_pb';
import type { EngineTask, ExecutorPool, ExecutorSession } from '@tutti/engine';
import { ExchangeFetcher, exchangeService, type ExchangeStats, type ExchangeStore } from '@tutti/exchange';
import { createEdgeTransport } from '@tutti/service';
import { KeptConnections } from './kept-connections.js';
import { SessionTask } from './session-task.js';

/** Files that are sent to other workers at once; each stream holds two chunks of 1 MiB and what its connection buffers. */
const STREAMS_SERVED_MAX = 32;
/** Files that are fetched at once; each holds one chunk, and what the window of its connection lets in (4 MiB). */
const STREAMS_FETCHED_MAX = 8;
/** A file of which nothing comes for so long is lost: its worker stands still, or is cut off. */
const PROGRESS_TIMEOUT_MS = 10_000;
/** How long a connection to another worker stays open while no session uses it, and how many of those there may be. */
const CONNECTION_KEPT_MS = 60_000;
const CONNECTIONS_KEPT_MAX = 64;

/** What a worker needs of an exchange store. */
export type SessionStore = Pick<ExchangeStore, 'begin' | 'session' | 'end' | 'stats' | 'counts' | 'path'>;

export interface NewSession {
  readonly task: EngineTask;
  readonly queryId: string;
  readonly exchangeKey: string;
  readonly pool: Pick<ExecutorPool, 'open'>;
  /** Aborts when the task is stopped. */
  readonly signal: AbortSignal;
}

export class WorkerExchange {
  readonly service: Pick<ServiceImpl<typeof TaskService>, 'fetchExchange'>;
  private readonly fetcher: ExchangeFetcher;
  private readonly connections: KeptConnections;

  constructor(
    private readonly store: SessionStore,
    private readonly deps: { readonly clock: Clock; readonly random: Random },
  ) {
    this.connections = new KeptConnections({
      create: (address) => createEdgeTransport({ url: `http://${address}` }),
      ...{ keptMs: CONNECTION_KEPT_MS, keptMax: CONNECTIONS_KEPT_MAX, clock: deps.clock },
    });
    const { connect } = this.connections;
    this.service = exchangeService({ store, streamsMax: STREAMS_SERVED_MAX });
    this.fetcher = new ExchangeFetcher({
      ...{ store, connect, ...deps },
      ...{ streamsMax: STREAMS_FETCHED_MAX, progressTimeoutMs: PROGRESS_TIMEOUT_MS },
    });
  }

  stats(): ExchangeStats {
    return this.store.stats();
  }

  /** Closes connections that no session uses; the last session of each of the others does. */
  close(): void {
    this.connections.close();
  }

  /** Gives a task an executor and a directory. The directory is removed when the executor has let go of it. */
  open(session: NewSession): { session: SessionTask; executor: Promise<ExecutorSession> } {
    const { task, queryId, exchangeKey: key, pool, signal } = session;
    const exchange = this.store.begin({ taskId: task.taskId, queryId, key });
    const executor = pool.open(
      { ...task, exchangeDirectory: exchange.directory, exchangeRoot: this.store.path },
      signal,
    );
    const end = () => this.store.end(exchange);
    executor.then((opened) => {
      const close = () => opened.close();
      signal.addEventListener('abort', close, { once: true });
      if (signal.aborted) close();
      void opened.ended.then(end);
    }, end);
    const fetches = this.fetcher.for(exchange);
    return { session: new SessionTask({ executor, exchange, fetches, signal, clock: this.deps.clock }), executor };
  }
}
