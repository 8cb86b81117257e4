// Queries as the commands show them: plain values with units in their names. Wire types stop here.
import { type Duration, durationMs, timestampDate } from '@bufbuild/protobuf/wkt';
import {
  type QueryInfo,
  QueryState,
  type StageProgress,
  WaitKind,
  type WaitLease,
  type WaitReason,
} from '@tutti/contracts/tutti/query/v1/query_pb';

/** Why a query has not started. */
export interface WaitView {
  readonly kind: string;
  readonly blockingGroup: string;
  readonly hardConcurrencyLimit: number;
  readonly runningHere: number;
  readonly runningElsewhere: number;
  readonly queuedAhead: number;
  readonly dataAgeMs: number | null;
  readonly message: string;
  /** The limit that is reached and what counts against it: queries, bytes for MEMORY_LIMIT, milliseconds for CPU_LIMIT. */
  readonly limit: number;
  readonly used: number;
  /** Starts that the query's coordinator has asked for in the blocking group and not made yet. */
  readonly claimsHere: number;
  /** Its place among those that wait for the blocking group, from 1; 0 when it is not known. */
  readonly position: number;
  readonly unblockedBy: string;
  /** How long it will wait if queries go on to start as in the last minute; null when too few did. */
  readonly estimatedWaitMs: number | null;
  /** How the query's coordinator stands with the owner of its group; null when the slots of the group are not dealt. */
  readonly lease: {
    /** Null: none is known. */
    readonly owner: string | null;
    readonly epoch: number;
    readonly isValid: boolean;
    readonly ageMs: number | null;
    /** Slots of the query's group that its coordinator holds. */
    readonly heldHere: number;
    /** Slots of the blocking group that all coordinators hold; null when the owner has not said. */
    readonly held: number | null;
  } | null;
}

/** How far a query is that runs in stages. */
export interface StagesView {
  readonly stages: number;
  readonly stagesDone: number;
  readonly tasks: number;
  readonly tasksDone: number;
  readonly tasksRunning: number;
  /** Tasks that were started again. */
  readonly retries: number;
  /** What tasks wrote for other tasks. */
  readonly exchangedRows: number;
  readonly exchangedBytes: number;
  /** Pieces of tables that the tasks divide among them, and those of tasks that are done. */
  readonly splits: number;
  readonly splitsDone: number;
}

/** One query. This is also what `-o json` prints, so a field may be added but not renamed. */
export interface QueryView {
  readonly queryId: string;
  readonly state: string;
  readonly user: string;
  readonly source: string;
  readonly catalog: string;
  readonly schema: string;
  readonly principal: string;
  readonly clientInfo: string;
  readonly clientTags: readonly string[];
  readonly group: string;
  readonly coordinator: string;
  readonly createTime: string | null;
  readonly elapsedMs: number;
  readonly queuedMs: number;
  /** Its order in a group that goes by priority, higher first; 0 when it is not known. */
  readonly priority: number;
  /** What it may use; null: no limit of its own. */
  readonly limits: {
    readonly executionTimeMs: number | null;
    readonly cpuTimeMs: number | null;
    readonly memoryBytes: number | null;
  };
  readonly rows: number;
  readonly resultBytes: number;
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
  readonly spilledBytes: number;
  readonly workers: readonly string[];
  /** How far its stages are; null when it runs whole on one worker, or has not started. */
  readonly stages: StagesView | null;
  /** Why it runs whole on one worker; empty when it does not, and before that is known. */
  readonly distributionReason: string;
  /** Settings of its session. */
  readonly properties: Readonly<Record<string, string>>;
  readonly waitReason: WaitView | null;
  readonly error: {
    readonly reason: string;
    readonly message: string;
    readonly line: number;
    readonly column: number;
    readonly retriable: boolean;
  } | null;
  readonly statement: string;
}

/** The names of the states on the command line. */
export const QUERY_STATE_NAMES: readonly string[] = Object.values(QueryState)
  .filter((value): value is string => typeof value === 'string' && value !== 'UNSPECIFIED')
  .map((name) => name.toLowerCase());

/** The state of that name, in lower case. */
export const queryStateOf = (name: string): QueryState => QueryState[name.toUpperCase() as keyof typeof QueryState];

export function decodeQuery(info: QueryInfo): QueryView {
  const { session, stats, error } = info;
  return {
    queryId: info.queryId,
    state: QueryState[info.state] ?? String(info.state),
    user: session?.user ?? '',
    source: session?.source ?? '',
    catalog: session?.catalog ?? '',
    schema: session?.schema ?? '',
    principal: session?.principal ?? '',
    clientInfo: session?.clientInfo ?? '',
    clientTags: session?.clientTags ?? [],
    group: info.resourceGroup,
    coordinator: info.coordinatorId,
    createTime: info.createTime === undefined ? null : timestampDate(info.createTime).toISOString(),
    elapsedMs: msOf(info.elapsed) ?? 0,
    queuedMs: msOf(info.queued) ?? 0,
    priority: info.priority,
    limits: {
      executionTimeMs: msOf(info.limits?.executionTime),
      cpuTimeMs: msOf(info.limits?.cpuTime),
      memoryBytes: Number(info.limits?.memoryBytes ?? 0) || null,
    },
    rows: Number(stats?.rows ?? 0),
    resultBytes: Number(stats?.resultBytes ?? 0),
    cpuMs: msOf(stats?.cpuTime) ?? 0,
    memoryBytes: Number(stats?.memoryBytes ?? 0),
    peakMemoryBytes: Number(stats?.peakMemoryBytes ?? 0),
    spilledBytes: Number(stats?.spilledBytes ?? 0),
    workers: stats?.workerIds ?? [],
    stages: info.stages === undefined ? null : decodeStages(info.stages),
    distributionReason: info.distributionReason,
    properties: session?.properties ?? {},
    waitReason: info.waitReason === undefined ? null : decodeWaitReason(info.waitReason),
    error:
      error === undefined
        ? null
        : {
            reason: error.reason,
            message: error.message,
            line: error.line,
            column: error.column,
            retriable: error.retriable,
          },
    statement: info.statement,
  };
}

const decodeStages = (progress: StageProgress): StagesView => ({
  stages: progress.stages,
  stagesDone: progress.stagesDone,
  tasks: progress.tasks,
  tasksDone: progress.tasksDone,
  tasksRunning: progress.tasksRunning,
  retries: progress.retries,
  exchangedRows: Number(progress.exchangedRows),
  exchangedBytes: Number(progress.exchangedBytes),
  splits: progress.splits,
  splitsDone: progress.splitsDone,
});

function decodeWaitReason(reason: WaitReason): WaitView {
  return {
    kind: WaitKind[reason.kind] ?? String(reason.kind),
    blockingGroup: reason.blockingGroup,
    hardConcurrencyLimit: reason.hardConcurrencyLimit,
    runningHere: reason.runningHere,
    runningElsewhere: reason.runningElsewhere,
    queuedAhead: reason.queuedAhead,
    dataAgeMs: msOf(reason.dataAge),
    message: reason.message,
    limit: Number(reason.limit),
    used: Number(reason.used),
    claimsHere: reason.claimsHere,
    position: reason.position,
    unblockedBy: reason.unblockedBy,
    estimatedWaitMs: msOf(reason.estimatedWait),
    lease: reason.lease === undefined ? null : decodeLease(reason.lease),
  };
}

const decodeLease = (lease: WaitLease): WaitView['lease'] => ({
  owner: lease.owner || null,
  epoch: Number(lease.epoch),
  isValid: lease.valid,
  ageMs: msOf(lease.age),
  heldHere: lease.heldHere,
  held: lease.held ?? null,
});

const msOf = (duration: Duration | undefined): number | null => (duration === undefined ? null : durationMs(duration));
