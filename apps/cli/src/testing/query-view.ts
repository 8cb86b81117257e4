import type { QueryView, WaitView } from '../query-codec.js';

/** A query for tests: everything is empty but what is given. */
export function queryView(
  given: Partial<Omit<QueryView, 'waitReason'>> & { waitReason?: Partial<WaitView> | null },
): QueryView {
  const { waitReason, ...more } = given;
  return {
    queryId: '20261122_151200_00001_k3x9q',
    state: 'FINISHED',
    user: '',
    source: '',
    catalog: '',
    schema: '',
    principal: '',
    clientInfo: '',
    clientTags: [],
    group: '',
    coordinator: '',
    createTime: null,
    elapsedMs: 0,
    queuedMs: 0,
    priority: 0,
    limits: { executionTimeMs: null, cpuTimeMs: null, memoryBytes: null },
    rows: 0,
    resultBytes: 0,
    cpuMs: 0,
    memoryBytes: 0,
    peakMemoryBytes: 0,
    spilledBytes: 0,
    workers: [],
    stages: null,
    distributionReason: '',
    properties: {},
    error: null,
    statement: '',
    ...more,
    waitReason: waitReason ? { ...NO_WAIT, ...waitReason } : null,
  };
}

const NO_WAIT: WaitView = {
  kind: 'CONCURRENCY_LIMIT',
  blockingGroup: 'global',
  hardConcurrencyLimit: 1,
  runningHere: 1,
  runningElsewhere: 0,
  queuedAhead: 0,
  dataAgeMs: null,
  message: '',
  limit: 1,
  used: 1,
  claimsHere: 0,
  position: 0,
  unblockedBy: '',
  estimatedWaitMs: null,
  lease: null,
};
