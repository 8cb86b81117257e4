import type { QueryId } from '@tutti/base';

/** Who asks, and in which context names are resolved. Defaults are filled in. */
export interface QuerySession {
  readonly user: string;
  readonly source: string;
  readonly catalog: string;
  readonly schema: string;
}

/** Why a query ended badly: a reason of docs/errors.md, and a text for people. */
export interface QueryFailure {
  readonly reason: string;
  readonly message: string;
  /** Place in the statement, from 1; 0 when the failure has none. */
  readonly line: number;
  readonly column: number;
  /** Whether the same statement may succeed when it is sent again. */
  readonly retriable: boolean;
}

/** A failure without a place in the statement. */
export const failure = (reason: string, message: string, retriable = false): QueryFailure => ({
  reason,
  message,
  line: 0,
  column: 0,
  retriable,
});

export interface QueryColumn {
  readonly name: string;
  readonly type: string;
}

/** What a query used and produced so far. */
export interface QueryUse {
  readonly rows: number;
  readonly resultBytes: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
  readonly workerIds: readonly string[];
}

export const noUse: QueryUse = {
  rows: 0,
  resultBytes: 0,
  cpuMs: 0,
  memoryBytes: 0,
  peakMemoryBytes: 0,
  spilledBytes: 0,
  workerIds: [],
};

export type QueryWaitKind =
  'concurrencyLimit' | 'queuedAhead' | 'staleData' | 'resourceManagersUnreachable' | 'noWorkers';

/** Why a query has not started. */
export interface QueryWait {
  readonly kind: QueryWaitKind;
  readonly blockingGroup: string;
  readonly hardConcurrencyLimit: number;
  readonly runningHere: number;
  readonly runningElsewhere: number;
  readonly queuedAhead: number;
  /** Age of the oldest report in the data; undefined when there is no data. */
  readonly dataAgeMs: number | undefined;
  readonly message: string;
}

/** Where a query stands, in the order in which it moves. The last three are ends. */
export const queryStates = [
  'queued',
  'waitingForResources',
  'planning',
  'starting',
  'running',
  'finishing',
  'finished',
  'failed',
  'canceled',
] as const;
export type QueryState = (typeof queryStates)[number];

export const isEnd = (state: QueryState): boolean => state === 'finished' || state === 'failed' || state === 'canceled';

/** Everything that is known of a query at one moment. */
export interface QuerySnapshot {
  readonly queryId: QueryId;
  readonly state: QueryState;
  readonly statement: string;
  readonly session: QuerySession;
  /** Path of its leaf group; empty for statements that need none, and before the group is chosen. */
  readonly group: string;
  readonly createdWallMs: number;
  readonly elapsedMs: number;
  readonly queuedMs: number;
  readonly wait: QueryWait | undefined;
  readonly use: QueryUse;
  readonly failure: QueryFailure | undefined;
}
