import { setTimeout as delay } from 'node:timers/promises';
import type { AdmissionCluster } from './admission-cluster.js';
import { BENCH_GROUP, PROBE_GROUP } from './admission-groups.js';
import { burst, type Load, probes, SHORT_SLEEP_MS, steadyLoad } from './admission-load.js';
import { LOGGED_MS } from './admission-mode.js';
import type { Fault } from './admission-options.js';
import type { NetworkSplit } from './network-split.js';
import type { QueryOutcome } from './query-sender.js';
import { firstTimeOf, limitUse } from './task-intervals.js';
import { until } from './until.js';

/** What one fault does, in mode leased. */
export interface FaultReport {
  readonly fault: Fault;
  /** The most that ran at once on the workers, by the limit, and how long more than the limit ran. */
  readonly peakOverLimit: number;
  readonly secondsOverLimit: number;
  /** How full the group was, by time, while more wanted to run than may. */
  readonly utilization: number;
  /** From the fault until capacity was dealt again; what that means for each fault stands at its function. null: it was not. */
  readonly redealMs: number | null;
  /** Of an owner that was stopped: the longest wait for a new slot before. */
  readonly waitBeforeMs?: number;
  readonly queries: number;
  readonly failedQueries: number;
  /** How many failed for which reason. */
  readonly failures: Readonly<Record<string, number>>;
}

/** A fault that cannot be made here. */
export interface FaultNotPossible {
  readonly fault: Fault;
  readonly notPossibleHere: string;
}

interface FaultContext {
  readonly admission: AdmissionCluster;
  readonly limit: number;
}

const BURST_BY_LIMIT = 3;
const BEFORE_MS = 1_500;
const PROBE_INTERVAL_MS = 50;
const PROBES_AFTER_MS = 1_500;
/** A burst of queries of this length, and probes so far apart, leave half of two cores idle: what waits waits for slots. */
const LONG_SLEEP_MS = 1_500;
const RARE_PROBE_INTERVAL_MS = 100;
/** A burst takes the cores for about so long until all of it waits. */
const BURST_TAKEN_MS = 2_500;
const HAND_OVER_MS = 2_000;
const REDEAL_WITHIN_MS = 20_000;
/** Twice the time for which a lease lasts. */
const FROZEN_MS = 20_000;
const SPLIT_MS = 15_000;
const AFTER_MS = 5_000;

/** kill -9 of the owner during a burst. Dealt again: the first start since then that needed a new slot. */
export async function ownerKilled(context: FaultContext): Promise<FaultReport> {
  const { admission, limit } = context;
  const owner = await admission.settledOwner();
  const fromMs = Date.now();
  const load = burst(admission.senders, { count: BURST_BY_LIMIT * limit, sleepMs: SHORT_SLEEP_MS });
  const probing = probes(admission.senders, PROBE_INTERVAL_MS);
  await delay(BEFORE_MS);
  const atMs = Date.now();
  await owner.kill();
  await probeStarted(admission, atMs);
  await delay(PROBES_AFTER_MS);
  const outcomes = [...(await load), ...(await probing.stop())];
  owner.start();
  const redealMs = firstProbe(admission, atMs);
  return { fault: 'owner-killed', redealMs, ...(await figures(context, fromMs, outcomes)) };
}

/**
 * SIGTERM of the owner, with cores to spare. Dealt again: the longest wait of a query that needed a new slot, of those that
 * waited then or came within HAND_OVER_MS.
 */
export async function ownerStopped(context: FaultContext): Promise<FaultReport> {
  const { admission, limit } = context;
  const owner = await admission.settledOwner();
  const fromMs = Date.now();
  const load = burst(admission.senders, { count: BURST_BY_LIMIT * limit, sleepMs: LONG_SLEEP_MS });
  const probing = probes(admission.senders, RARE_PROBE_INTERVAL_MS);
  await delay(BURST_TAKEN_MS + HAND_OVER_MS);
  const atMs = Date.now();
  // Nobody looks meanwhile: resource managers that are asked who deals deal later.
  await Promise.all([owner.stop(REDEAL_WITHIN_MS), delay(HAND_OVER_MS)]);
  const probed = await probing.stop();
  await until('another owner', REDEAL_WITHIN_MS, async () => {
    const now = await admission.owner();
    return (now !== undefined && now !== owner) || undefined;
  });
  const outcomes = [...(await load), ...probed];
  owner.start();
  await delay(LOGGED_MS);
  admission.readLogs();
  const redealMs = longestWait(admission, atMs, Infinity);
  const waitBeforeMs = longestWait(admission, atMs - HAND_OVER_MS, atMs) ?? 0;
  return { fault: 'owner-stopped', redealMs, waitBeforeMs, ...(await figures(context, fromMs, outcomes)) };
}

/** SIGSTOP of a coordinator that runs and holds. Dealt again: the others run as many queries as the limit lets. */
export async function coordinatorFrozen(context: FaultContext): Promise<FaultReport> {
  const { admission, limit } = context;
  await admission.settledOwner();
  const node = admission.cluster.byRole('coordinator').at(-1);
  if (node === undefined) throw new Error('there is no coordinator');
  const fromMs = Date.now();
  const load = steadyLoad(admission.senders, limit);
  await delay(BEFORE_MS);
  node.signal('SIGSTOP');
  const atMs = Date.now();
  await delay(FROZEN_MS);
  node.signal('SIGCONT');
  await delay(AFTER_MS);
  const outcomes = await load.stop();
  const ofFault = await figures(context, fromMs, outcomes);
  const others = admission.tasks.of(BENCH_GROUP, atMs).filter(({ coordinatorId }) => coordinatorId !== node.id);
  return { fault: 'coordinator-frozen', redealMs: since(atMs, firstTimeOf(limit, others, atMs)), ...ofFault };
}

/** The owner, a coordinator and a worker are cut off. Dealt again: the first start among the others that needed a new slot. */
export async function partitioned(context: FaultContext, network: NetworkSplit): Promise<FaultReport> {
  const { admission, limit } = context;
  const owner = await admission.settledOwner();
  const [coordinator, worker] = [admission.senders.at(-1), admission.cluster.byRole('worker').at(-1)];
  if (coordinator === undefined || worker === undefined) throw new Error('there is no coordinator or no worker');
  const fromMs = Date.now();
  const load = steadyLoad(admission.senders, limit);
  const others = admission.senders.filter((sender) => sender !== coordinator);
  let probing: Load | undefined;
  await delay(BEFORE_MS);
  const atMs = Date.now();
  network.cut([owner.id, coordinator.coordinatorId, worker.id]);
  try {
    probing = probes(others, PROBE_INTERVAL_MS * 2);
    await delay(SPLIT_MS);
  } finally {
    network.heal();
  }
  await delay(AFTER_MS);
  const outcomes = [...(await load.stop()), ...(await probing.stop())];
  const ofFault = await figures(context, fromMs, outcomes);
  return { fault: 'partition', redealMs: firstProbe(admission, atMs), ...ofFault };
}

async function figures({ admission, limit }: FaultContext, fromMs: number, outcomes: readonly QueryOutcome[]) {
  await delay(LOGGED_MS);
  admission.readLogs();
  const { peak, overMs, use } = limitUse(admission.tasks.of(BENCH_GROUP, fromMs), limit, Date.now());
  const failures: Record<string, number> = {};
  for (const { failure } of outcomes) if (failure !== undefined) failures[failure] = (failures[failure] ?? 0) + 1;
  return {
    peakOverLimit: peak / limit,
    secondsOverLimit: overMs / 1_000,
    utilization: use,
    queries: outcomes.length,
    failedQueries: outcomes.filter(({ failure }) => failure !== undefined).length,
    failures,
  };
}

/** Time from the fault to the first start of a probe that was sent after it. */
function firstProbe(admission: AdmissionCluster, atMs: number): number | null {
  admission.readLogs();
  const sent = admission.ended.of(PROBE_GROUP, atMs).filter(({ reason }) => reason === undefined);
  const starts = sent.map(({ submittedMs, queuedMs }) => submittedMs + queuedMs);
  return starts.length > 0 ? since(atMs, Math.min(...starts)) : null;
}

/** Of the probes that started in that time, in whole milliseconds; null when none did. */
function longestWait(admission: AdmissionCluster, fromMs: number, untilMs: number): number | null {
  const started = admission.ended.of(PROBE_GROUP, 0).filter(({ submittedMs, queuedMs }) => {
    const startMs = submittedMs + queuedMs;
    return startMs >= fromMs && startMs < untilMs;
  });
  return started.length > 0 ? Math.round(Math.max(...started.map(({ queuedMs }) => queuedMs))) : null;
}

/** Waits a while for it, not for ever: that it did not come is a result. */
async function probeStarted(admission: AdmissionCluster, atMs: number): Promise<void> {
  const deadline = performance.now() + REDEAL_WITHIN_MS;
  while (firstProbe(admission, atMs) === null && performance.now() < deadline) await delay(100);
}

const since = (atMs: number, laterMs: number | undefined): number | null =>
  laterMs === undefined ? null : Math.round(laterMs - atMs);
