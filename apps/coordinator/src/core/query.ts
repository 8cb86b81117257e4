import type { QueryId } from '@tutti/base';
import type { QueryEstimates, WaitExplanation } from '@tutti/resource-groups';
import type { StageProgress } from './stage-stats.js';
import type { QueryLimits } from './query-limits.js';
import type { SessionChange, SessionProperties } from './session-properties.js';

/** Who asks, and in which context names are resolved. Defaults are filled in. */
export interface QuerySession {
  readonly user: string;
  readonly source: string;
  readonly catalog: string;
  readonly schema: string;
  /** Whether the client named the schema: selectors look at no other. */
  readonly schemaIsGiven: boolean;
  readonly principal: string;
  readonly clientInfo: string;
  readonly clientTags: readonly string[];
  /** What the client asks for; its group may bound it. */
  readonly priority: number;
  readonly estimates: QueryEstimates;
  /** Checked; see session-properties.ts. */
  readonly properties: SessionProperties;
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

/** Why a query has not started: what its group says, or that no worker takes it. */
export type QueryWait = Omit<WaitExplanation, 'kind' | 'mode' | 'lease'> &
  Partial<Pick<WaitExplanation, 'mode' | 'lease'>> & { readonly kind: QueryWaitKind };
export type QueryWaitKind = WaitExplanation['kind'] | 'noWorkers';

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
  /** Within the bounds of its group, once that is chosen. */
  readonly priority: number;
  readonly limits: QueryLimits;
  readonly createdWallMs: number;
  readonly elapsedMs: number;
  readonly queuedMs: number;
  readonly wait: QueryWait | undefined;
  readonly use: QueryUse;
  /** How far its stages are; undefined for a query that runs whole on one worker. */
  readonly progress?: StageProgress | undefined;
  /** Why it runs whole on one worker; undefined when it does not, and before that is known. */
  readonly wholeReason?: string | undefined;
  /** What it changes for the statements after it, when it is about the session. */
  readonly sessionChange?: SessionChange | undefined;
  readonly failure: QueryFailure | undefined;
}
