import type { Clock, Instant, QueryId } from '@tutti/base';
import type { ResultFormat } from '@tutti/engine';
import { Bell } from './bell.js';
import type {
  QueryColumn,
  QueryFailure,
  QuerySession,
  QuerySnapshot,
  QueryState,
  QueryUse,
  QueryWait,
} from './core/query.js';
import { isEnd, noUse } from './core/query.js';
import type { GroupBounds, QueryLimits } from './core/query-limits.js';
import type { QueryEvent } from './core/query-machine.js';
import { distributionSettings, type SessionChange } from './core/session-properties.js';
import { DISTRIBUTION_DEFAULTS, type DistributionSettings } from './core/stage-settings.js';
import type { StageProgress } from './core/stage-stats.js';
import { QueryMachine } from './core/query-machine.js';
import { ResultBuffer } from './result-buffer.js';

export interface LiveQueryOptions {
  readonly queryId: QueryId;
  readonly statement: string;
  readonly session: QuerySession;
  /** What it may use before its group says so too. */
  readonly limits: QueryLimits;
  readonly bufferBytesMax: number;
  /** How it runs on several workers where its session does not say; DISTRIBUTION_DEFAULTS unless given. */
  readonly distributionDefaults?: DistributionSettings | undefined;
  /** How its rows are spelled; rows unless given. */
  readonly resultFormat?: ResultFormat | undefined;
  readonly clock: Clock;
  /** Called after each change of the query, at its end too. */
  readonly onChange: (query: LiveQuery) => void;
  /** Called when the memory or CPU time that the query uses has changed. */
  readonly onUse: (query: LiveQuery) => void;
}

/** One query that has not ended, with its rows on their way to the client. Its end aborts `signal`. */
export class LiveQuery {
  readonly queryId: QueryId;
  readonly statement: string;
  readonly session: QuerySession;
  readonly createdAt: Instant;
  /** Rings at each change that a client may want to see: state, columns, rows, use, the reason of its wait. */
  readonly bell = new Bell();
  readonly rows: ResultBuffer;
  private readonly createdWallMs: number;
  private readonly machine: QueryMachine;
  private readonly stop = new AbortController();
  private resultColumns: readonly QueryColumn[] | undefined;
  private used: QueryUse = noUse;
  private bounds: GroupBounds;
  private waitOf: (() => QueryWait | undefined) | undefined;
  private attempts = 0;
  private stageProgress: StageProgress | undefined;
  private wholeReason: string | undefined;
  private sessionChange: SessionChange | undefined;
  readonly distributionDefaults: DistributionSettings;
  /** How it runs on several workers. */
  readonly distribution: DistributionSettings;

  constructor(private readonly options: LiveQueryOptions) {
    this.queryId = options.queryId;
    this.statement = options.statement;
    this.session = options.session;
    this.distributionDefaults = options.distributionDefaults ?? DISTRIBUTION_DEFAULTS;
    this.distribution = distributionSettings(options.session.properties, this.distributionDefaults);
    this.bounds = { priority: options.session.priority, limits: options.limits };
    this.createdAt = options.clock.now();
    this.createdWallMs = options.clock.wallMs();
    this.machine = new QueryMachine(this.createdAt);
    this.rows = new ResultBuffer(options.bufferBytesMax, () => this.bell.ring());
  }

  get state(): QueryState {
    return this.machine.state;
  }

  get ended(): boolean {
    return isEnd(this.machine.state);
  }

  get group(): string {
    return this.machine.group;
  }

  get failure(): QueryFailure | undefined {
    return this.machine.failure;
  }

  get columns(): readonly QueryColumn[] | undefined {
    return this.resultColumns;
  }

  get use(): QueryUse {
    return this.used;
  }

  get resultFormat(): ResultFormat {
    return this.options.resultFormat ?? 'rows';
  }

  /** Its place in a group that goes by priority: within the bounds of its group, once that is chosen. */
  get priority(): number {
    return this.bounds.priority;
  }

  /** What it may use: as its group says too, once that is chosen; for good from its admission on. */
  get limits(): QueryLimits {
    return this.bounds.limits;
  }

  /** Aborts at the end of the query, whatever the end. */
  get signal(): AbortSignal {
    return this.stop.signal;
  }

  apply(event: QueryEvent): void {
    if (!this.machine.apply(event, this.options.clock.now())) return;
    if (this.ended) {
      this.used = { ...this.used, memoryBytes: 0 };
      this.waitOf = undefined;
      if (this.machine.failure) this.rows.clear();
      this.stop.abort(ended);
    }
    this.options.onChange(this);
    this.bell.ring();
  }

  describe(columns: readonly QueryColumn[]): void {
    this.resultColumns = columns;
    this.bell.ring();
  }

  /** Keeps the query within what its group allows. */
  boundBy(boundsOf: (asked: GroupBounds) => GroupBounds): void {
    this.bounds = boundsOf({ priority: this.session.priority, limits: this.options.limits });
  }

  /** Reports what the query uses; figures that are left out stay. After its end it holds no memory. */
  using(change: Partial<QueryUse>): void {
    this.used = { ...this.used, ...change, ...(this.ended && { memoryBytes: 0 }) };
    if (change.memoryBytes !== undefined || change.cpuMs !== undefined) this.options.onUse(this);
    this.bell.ring();
  }

  /** How far its stages are; of a query that runs whole on one worker nothing. */
  progressed(progress: StageProgress): void {
    this.stageProgress = progress;
    this.bell.ring();
  }

  /** Why it runs whole on one worker. */
  runsWhole(reason: string): void {
    this.wholeReason = reason;
    this.bell.ring();
  }

  /** What it changes for the statements after it. */
  changesSession(change: SessionChange): void {
    this.sessionChange = change;
  }

  /** The number of the next attempt to start a task. */
  nextAttempt(): number {
    return this.attempts++;
  }

  /** Says where the reason of a wait comes from; undefined when the query does not wait. */
  waitsFor(wait: (() => QueryWait | undefined) | undefined): void {
    this.waitOf = wait;
    this.bell.ring();
  }

  snapshot(): QuerySnapshot {
    const now = this.options.clock.now();
    return {
      queryId: this.queryId,
      state: this.state,
      statement: this.statement,
      session: this.session,
      group: this.group,
      ...this.bounds,
      createdWallMs: this.createdWallMs,
      elapsedMs: this.machine.elapsedMs(now),
      queuedMs: this.machine.queuedMs(now),
      wait: this.waitOf?.(),
      use: this.used,
      progress: this.stageProgress,
      wholeReason: this.wholeReason,
      sessionChange: this.sessionChange,
      failure: this.failure,
    };
  }
}

/** Made once: a new one for each query would cost as much as the rest of its end. */
const ended = new DOMException('the query has ended', 'AbortError');
