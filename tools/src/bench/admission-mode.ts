import { setTimeout as delay } from 'node:timers/promises';
import type { AdmissionCluster } from './admission-cluster.js';
import { BENCH_GROUP } from './admission-groups.js';
import { burst, paced } from './admission-load.js';
import type { Mode } from './admission-options.js';
import { percentile } from './percentile.js';
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
  /** Queries one after another on each coordinator, slots free: from submission to start. */
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
  /** The same: share of the queries that started within AT_ONCE_MS, so without asking anybody. */
  readonly startedAtOnce: number;
  /** The same: messages to resource managers by queries, renewals of leases included. */
  readonly rpcsPerAdmission: number;
  readonly queriesPerSecond: number;
  /** The same: CPU of all resource managers together, and of all coordinators without their planners, in cores. */
  readonly rmCores: number;
  readonly coordinatorCores: number;
  readonly failedQueries: number;
}

const BURST_BY_LIMIT = 3;
/** Long enough that all are placed before the first ends. */
const BURST_SLEEP_MS = 1_000;
const SETTLE_MS = 2_000;
/** A coordinator that was idle holds nothing: its first queries ask. What follows is measured. */
const LEAD_MS = 1_500;
const STEADY_MS = 10_000;
const STEADY_SLEEP_MS = 20;
const STEADY_PAUSE_MS = 80;
const AT_ONCE_MS = 0.5;

/** Log lines are written soon after what they tell of. */
export const LOGGED_MS = 300;

/** A burst, then a steady load with free slots. */
export async function measureMode(admission: AdmissionCluster, mode: Mode, limit: number): Promise<ModeReport> {
  await delay(SETTLE_MS);
  const burstFigures = await measureBurst(admission, limit);
  await delay(SETTLE_MS);
  const steady = await measureSteady(admission);
  const failedQueries = burstFigures.failed + steady.failed;
  const { failed: _burst, ...ofBurst } = burstFigures;
  const { failed: _steady, ...ofSteady } = steady;
  return { mode, ...ofBurst, ...ofSteady, failedQueries };
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
  const [fromMs, begunAt, rpcs] = [Date.now(), performance.now(), await admissionRpcs(admission)];
  const [rmCpu, coordinatorCpu] = [admission.cpuSeconds('resource-manager'), admission.cpuSeconds('coordinator')];
  const outcomes = (await load).flat();
  const seconds = (performance.now() - begunAt) / 1_000;
  const rmCores = (admission.cpuSeconds('resource-manager') - rmCpu) / seconds;
  const coordinatorCores = (admission.cpuSeconds('coordinator') - coordinatorCpu) / seconds;
  const steadyRpcs = (await admissionRpcs(admission)) - rpcs;
  await delay(LOGGED_MS);
  admission.readLogs();
  const waits = admission.ended.of(BENCH_GROUP, fromMs).map(({ queuedMs }) => queuedMs);
  return {
    waitP50Ms: percentile(waits, 0.5),
    waitP99Ms: percentile(waits, 0.99),
    startedAtOnce: waits.filter((waitMs) => waitMs <= AT_ONCE_MS).length / waits.length,
    rpcsPerAdmission: steadyRpcs / waits.length,
    queriesPerSecond: waits.length / seconds,
    rmCores,
    coordinatorCores,
    failed: outcomes.filter(({ failure }) => failure !== undefined).length,
  };
}

const admissionRpcs = (admission: AdmissionCluster) => admission.metric('coordinator', 'tutti_admission_rpcs_total');
