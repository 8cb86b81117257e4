import { setTimeout as delay } from 'node:timers/promises';
import type { AdmissionCluster } from './admission-cluster.js';
import { BENCH_GROUP } from './admission-groups.js';
import { burst, paced } from './admission-load.js';
import type { Mode } from './admission-options.js';
import { percentile } from './percentile.js';
import { machineSeconds } from './process-stats.js';
import { limitUse } from './task-intervals.js';

/** What one mode does, in the same run as the others. */
export interface ModeReport {
  readonly mode: Mode;
  /** Burst of 3 x L queries on each coordinator: the most that ran at once on the workers, by the limit. */
  readonly peakOverLimit: number;
  /** The same: how long more than the limit ran. */
  readonly secondsOverLimit: number;
  /** The same: how full the group was, by time, from the first start to the last end. */
  readonly utilization: number;
  readonly burstSeconds: number;
  readonly burstRpcsPerAdmission: number;
  /** Queries one after another on each coordinator, slots free: share of those that started without waiting for anybody. */
  readonly startedWithoutRpc: number;
  /** The same: from the choice of the group to the start. */
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
  /** The same: by how much this is more than in mode presto, in the same run; null when that was not measured. */
  readonly addedP50Ms: number | null;
  readonly addedP99Ms: number | null;
  /** The same: share of the queries that started within AT_ONCE_MS. */
  readonly startedAtOnce: number;
  /** The same: messages to resource managers by queries, renewals of leases included. */
  readonly rpcsPerAdmission: number;
  readonly queriesPerSecond: number;
  /** The same: CPU of all resource managers together, and of all coordinators without their planners, in cores. */
  readonly rmCores: number;
  readonly coordinatorCores: number;
  /** The same: how busy the cores of the machine were, with all that runs there. At 1 waits are those for a core. */
  readonly machineBusy: number;
  /** The same: for how long the event loops of the coordinators were ready to run and had no core, per query. */
  readonly coreWaitMs: number;
  readonly failedQueries: number;
}

const BURST_BY_LIMIT = 3;
/** Long enough that all are placed before the first ends. */
const BURST_SLEEP_MS = 1_000;
const SETTLE_MS = 2_000;
/** A coordinator that was idle holds nothing: its first queries ask. What follows is measured. */
const LEAD_MS = 1_500;
const STEADY_MS = 25_000;
const STEADY_SLEEP_MS = 20;
/** A query costs the whole cluster some 60 ms of CPU: three times as many fill two cores, and what waits then waits for a core. */
const STEADY_PAUSE_MS = 300;
const AT_ONCE_MS = 0.5;

/** Log lines are written soon after what they tell of. */
export const LOGGED_MS = 300;

/** A burst, then a steady load with free slots. */
export async function measureMode(
  admission: AdmissionCluster,
  mode: Mode,
  limit: number,
  presto: ModeReport | undefined,
): Promise<ModeReport> {
  await delay(SETTLE_MS);
  const burstFigures = await measureBurst(admission, limit);
  await delay(SETTLE_MS);
  const steady = await measureSteady(admission);
  const failedQueries = burstFigures.failed + steady.failed;
  const { failed: _burst, ...ofBurst } = burstFigures;
  const { failed: _steady, ...ofSteady } = steady;
  const base = mode === 'presto' ? steady : presto;
  const added = {
    addedP50Ms: base === undefined ? null : steady.waitP50Ms - base.waitP50Ms,
    addedP99Ms: base === undefined ? null : steady.waitP99Ms - base.waitP99Ms,
  };
  return { mode, ...ofBurst, ...ofSteady, ...added, failedQueries };
}

async function measureBurst(admission: AdmissionCluster, limit: number) {
  const [fromMs, rpcs] = [Date.now(), await admissionRpcs(admission)];
  const outcomes = await burst(admission.senders, { count: BURST_BY_LIMIT * limit, sleepMs: BURST_SLEEP_MS });
  const untilMs = Date.now();
  const burstRpcs = (await admissionRpcs(admission)) - rpcs;
  await delay(LOGGED_MS);
  admission.readLogs();
  const { peak, overMs, use } = limitUse(admission.tasks.of(BENCH_GROUP, fromMs), limit, untilMs);
  return {
    peakOverLimit: peak / limit,
    secondsOverLimit: overMs / 1_000,
    utilization: use,
    burstSeconds: (untilMs - fromMs) / 1_000,
    burstRpcsPerAdmission: burstRpcs / outcomes.length,
    failed: outcomes.filter(({ failure }) => failure !== undefined).length,
  };
}

async function measureSteady(admission: AdmissionCluster) {
  const options = {
    sleepMs: STEADY_SLEEP_MS,
    pauseMs: STEADY_PAUSE_MS,
    untilMs: performance.now() + LEAD_MS + STEADY_MS,
  };
  const load = Promise.all(admission.senders.map((sender) => paced(sender, options)));
  await delay(LEAD_MS);
  const [fromMs, begunAt, before] = [Date.now(), performance.now(), await figuresOf(admission)];
  const outcomes = (await load).flat();
  const seconds = (performance.now() - begunAt) / 1_000;
  const after = await figuresOf(admission);
  const spent = (figure: keyof Figures) => after[figure] - before[figure];
  await delay(LOGGED_MS);
  admission.readLogs();
  const waits = admission.ended.of(BENCH_GROUP, fromMs).map(({ queuedMs }) => queuedMs);
  return {
    startedWithoutRpc: spent('startsAtOnce') / spent('starts'),
    waitP50Ms: percentile(waits, 0.5),
    waitP99Ms: percentile(waits, 0.99),
    startedAtOnce: waits.filter((waitMs) => waitMs <= AT_ONCE_MS).length / waits.length,
    rpcsPerAdmission: spent('rpcs') / waits.length,
    queriesPerSecond: waits.length / seconds,
    rmCores: spent('rmCpuSeconds') / seconds,
    coordinatorCores: spent('coordinatorCpuSeconds') / seconds,
    machineBusy: spent('busySeconds') / spent('coreSeconds'),
    coreWaitMs: (1_000 * spent('coreWaitSeconds')) / waits.length,
    failed: outcomes.filter(({ failure }) => failure !== undefined).length,
  };
}

type Figures = Awaited<ReturnType<typeof figuresOf>>;

/** What only grows. */
async function figuresOf(admission: AdmissionCluster) {
  const starts = 'tutti_admission_starts_total';
  return {
    rpcs: await admissionRpcs(admission),
    starts: await admission.metric('coordinator', starts),
    startsAtOnce: await admission.metric('coordinator', starts, 'waited="no"'),
    rmCpuSeconds: admission.cpuSeconds('resource-manager'),
    coordinatorCpuSeconds: admission.cpuSeconds('coordinator'),
    coreWaitSeconds: admission.coreWaitSeconds('coordinator'),
    ...machineSeconds(),
  };
}

const admissionRpcs = (admission: AdmissionCluster) => admission.metric('coordinator', 'tutti_admission_rpcs_total');
