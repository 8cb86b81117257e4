import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import {
  ColumnsSchema,
  QueryInfoSchema,
  QueryState as WireState,
  WaitKind,
} from '@tutti/contracts/tutti/query/v1/query_pb';
import type { QueryEstimates, WaitLease } from '@tutti/resource-groups';
import type {
  QueryColumn,
  QuerySession,
  QuerySnapshot,
  QueryState,
  QueryUse,
  QueryWait,
  QueryWaitKind,
} from './core/query.js';
import type { QueryLimits } from './core/query-limits.js';
import type { StageProgress } from './core/stage-stats.js';

const wireStates: Readonly<Record<QueryState, WireState>> = {
  queued: WireState.QUEUED,
  waitingForResources: WireState.WAITING_FOR_RESOURCES,
  planning: WireState.PLANNING,
  starting: WireState.STARTING,
  running: WireState.RUNNING,
  finishing: WireState.FINISHING,
  finished: WireState.FINISHED,
  failed: WireState.FAILED,
  canceled: WireState.CANCELED,
};

const wireWaitKinds: Readonly<Record<QueryWaitKind, WaitKind>> = {
  concurrencyLimit: WaitKind.CONCURRENCY_LIMIT,
  queuedAhead: WaitKind.QUEUED_AHEAD,
  staleData: WaitKind.STALE_DATA,
  resourceManagersUnreachable: WaitKind.RESOURCE_MANAGERS_UNREACHABLE,
  memoryLimit: WaitKind.MEMORY_LIMIT,
  cpuLimit: WaitKind.CPU_LIMIT,
  workersPerQueryLimit: WaitKind.WORKERS_PER_QUERY_LIMIT,
  noWorkers: WaitKind.NO_WORKERS,
};

/** Lists and reports carry this much of a statement; who asks for one query gets all of it. */
export const LISTED_STATEMENT_LENGTH = 1_000;
/** Reasons may quote the engine. */
const REASON_LENGTH_MAX = 1_000;

/** A query as others see it. `statementLength` cuts its text. */
export function queryInfoOf(query: QuerySnapshot, coordinatorId: string, statementLength?: number): QueryInfo {
  return create(QueryInfoSchema, {
    queryId: query.queryId,
    state: wireStates[query.state],
    statement: cut(query.statement, statementLength),
    session: sessionOf(query.session, statementLength === undefined),
    resourceGroup: query.group,
    priority: query.priority,
    limits: limitsOf(query.limits),
    coordinatorId,
    createTime: timestampFromMs(Math.floor(query.createdWallMs)),
    elapsed: durationOf(query.elapsedMs),
    queued: durationOf(query.queuedMs),
    ...(query.wait && { waitReason: waitReasonOf(query.wait) }),
    stats: statsOf(query.use),
    ...(query.failure && { error: { ...query.failure } }),
    ...(query.progress && { stages: stagesOf(query.progress) }),
    distributionReason: cut(query.wholeReason ?? '', REASON_LENGTH_MAX),
    setSession: { ...query.sessionChange?.set },
    resetSession: [...(query.sessionChange?.reset ?? [])],
  });
}

export const wireStateOf = (state: QueryState): WireState => wireStates[state];

export const columnsOf = (columns: readonly QueryColumn[]) =>
  create(ColumnsSchema, { columns: columns.map(({ name, type }) => ({ name, type })) });

const cut = (text: string, length: number | undefined): string =>
  length === undefined || text.length <= length ? text : `${text.slice(0, length - 1)}…`;

type QueryInfoInit = Extract<MessageInitShape<typeof QueryInfoSchema>, { $typeName?: never }>;

/** Lists leave out what may be long and is for selectors only. */
const sessionOf = (session: QuerySession, isWhole: boolean): QueryInfoInit['session'] & object => ({
  user: session.user,
  source: session.source,
  catalog: session.catalog,
  schema: session.schema,
  principal: session.principal,
  priority: session.priority,
  ...(isWhole && {
    clientInfo: session.clientInfo,
    clientTags: [...session.clientTags],
    properties: { ...session.properties },
    ...(Object.keys(session.estimates).length > 0 && { estimates: estimatesOf(session.estimates) }),
  }),
});

const stagesOf = ({ exchangedRows, exchangedBytes, ...counts }: StageProgress) => ({
  ...counts,
  exchangedRows: BigInt(exchangedRows),
  exchangedBytes: BigInt(exchangedBytes),
});

const estimatesOf = ({ executionTimeMs, cpuTimeMs, peakMemoryBytes }: QueryEstimates) => ({
  ...(executionTimeMs !== undefined && { executionTime: durationOf(executionTimeMs) }),
  ...(cpuTimeMs !== undefined && { cpuTime: durationOf(cpuTimeMs) }),
  peakMemoryBytes: BigInt(peakMemoryBytes ?? 0),
});

const limitsOf = ({ execution, cpu, memory }: QueryLimits): QueryInfoInit['limits'] & object => ({
  executionTime: durationOf(execution.most),
  ...(cpu && { cpuTime: durationOf(cpu.most) }),
  memoryBytes: BigInt(memory?.most ?? 0),
});

const waitReasonOf = (wait: QueryWait): QueryInfoInit['waitReason'] & object => ({
  kind: wireWaitKinds[wait.kind],
  blockingGroup: wait.blockingGroup,
  hardConcurrencyLimit: wait.hardConcurrencyLimit,
  runningHere: wait.runningHere,
  runningElsewhere: wait.runningElsewhere,
  queuedAhead: wait.queuedAhead,
  ...(wait.dataAgeMs !== undefined && { dataAge: durationOf(wait.dataAgeMs) }),
  message: wait.message,
  limit: BigInt(Math.round(wait.limit)),
  used: BigInt(Math.round(wait.used)),
  claimsHere: wait.claimsHere,
  position: wait.position,
  unblockedBy: wait.unblockedBy,
  ...(wait.estimatedWaitMs !== undefined && { estimatedWait: durationOf(wait.estimatedWaitMs) }),
  ...(wait.lease && { lease: waitLeaseOf(wait.lease) }),
});

const waitLeaseOf = ({ owner, epoch, held, heldInCluster, isValid, leaseAgeMs }: WaitLease) => ({
  owner: owner ?? '',
  epoch: BigInt(epoch),
  heldHere: held,
  ...(heldInCluster !== undefined && { held: heldInCluster }),
  valid: isValid,
  ...(leaseAgeMs !== undefined && { age: durationOf(leaseAgeMs) }),
});

const statsOf = (use: QueryUse): QueryInfoInit['stats'] & object => ({
  rows: BigInt(use.rows),
  resultBytes: BigInt(use.resultBytes),
  cpuTime: durationOf(use.cpuMs),
  memoryBytes: BigInt(use.memoryBytes),
  peakMemoryBytes: BigInt(use.peakMemoryBytes),
  spilledBytes: BigInt(use.spilledBytes),
  workerIds: [...use.workerIds],
});

/** Whole milliseconds: nobody reads more, and fractions make ugly JSON. */
const durationOf = (ms: number) => durationFromMs(Math.max(0, Math.round(ms)));
