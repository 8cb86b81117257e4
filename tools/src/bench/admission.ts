import { AdmissionCluster, COORDINATORS, RESOURCE_MANAGERS, WORKERS } from './admission-cluster.js';
import {
  coordinatorFrozen,
  type FaultNotPossible,
  type FaultReport,
  ownerKilled,
  ownerStopped,
  partitioned,
} from './admission-faults.js';
import { measureMode, type ModeReport } from './admission-mode.js';
import type { AdmissionOptions, Mode } from './admission-options.js';
import { NetworkSplit, whyNoNamespaces } from './network-split.js';

export interface AdmissionReport {
  readonly limit: number;
  readonly resourceManagers: number;
  readonly coordinators: number;
  readonly workers: number;
  readonly modes: readonly ModeReport[];
  readonly faults: readonly (FaultReport | FaultNotPossible)[];
}

interface AdmissionRun extends AdmissionOptions {
  readonly root: string;
  readonly say: (text: string) => void;
}

const FAULT_RUNS = {
  'owner-killed': ownerKilled,
  'coordinator-frozen': coordinatorFrozen,
  'owner-stopped': ownerStopped,
} as const;

/** One limit, four coordinators: what the modes keep of it, and what faults do to it in mode leased. */
export async function admission(run: AdmissionRun): Promise<AdmissionReport> {
  const modes: ModeReport[] = [];
  const faults: (FaultReport | FaultNotPossible)[] = [];
  const onLoopback = run.faults.filter((fault) => fault !== 'partition');
  for (const mode of run.modes) {
    await withCluster(run, mode, async (cluster) => {
      run.say(`mode ${mode}: a burst on every coordinator, then queries one after another ...`);
      const report = await measureMode(
        cluster,
        mode,
        run.limit,
        modes.find((former) => former.mode === 'presto'),
      );
      run.say(`  ${kept(report)}, a wait of ${report.waitP99Ms.toFixed(2)} ms (p99) with free slots`);
      modes.push(report);
      if (mode === 'leased') faults.push(...(await goThrough(run, cluster, onLoopback)));
    });
  }
  if (!run.modes.includes('leased') && onLoopback.length > 0)
    await withCluster(run, 'leased', async (cluster) => {
      faults.push(...(await goThrough(run, cluster, onLoopback)));
    });
  if (run.faults.includes('partition')) faults.push(await partition(run));
  return {
    limit: run.limit,
    resourceManagers: RESOURCE_MANAGERS,
    coordinators: COORDINATORS,
    workers: WORKERS,
    modes,
    faults,
  };
}

/** One after the other on one cluster: each leaves it as it was. */
async function goThrough(run: AdmissionRun, cluster: AdmissionCluster, faults: readonly (keyof typeof FAULT_RUNS)[]) {
  const reports: FaultReport[] = [];
  const context = { admission: cluster, limit: run.limit };
  for (const fault of faults) {
    run.say(`fault ${fault} ...`);
    const report = await FAULT_RUNS[fault](context);
    run.say(`  ${kept(report)}, dealt again after ${report.redealMs} ms, ${report.failedQueries} queries failed`);
    reports.push(report);
  }
  return reports;
}

const kept = ({ peakOverLimit }: ModeReport | FaultReport) => `at most ${peakOverLimit.toFixed(2)} x the limit ran`;

async function partition(run: AdmissionRun): Promise<FaultReport | FaultNotPossible> {
  const reason = whyNoNamespaces();
  if (reason !== undefined) return { fault: 'partition', notPossibleHere: reason };
  const numbered = (role: string, count: number) => Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
  const network = NetworkSplit.create([
    ...numbered('resource-manager', RESOURCE_MANAGERS),
    ...numbered('coordinator', COORDINATORS),
    ...numbered('worker', WORKERS),
  ]);
  try {
    return await withCluster(
      run,
      'leased',
      (cluster) => {
        run.say('fault partition ...');
        return partitioned({ admission: cluster, limit: run.limit }, network);
      },
      network,
    );
  } finally {
    network.close();
  }
}

async function withCluster<T>(
  { root, limit, say }: AdmissionRun,
  mode: Mode,
  use: (cluster: AdmissionCluster) => Promise<T>,
  network?: NetworkSplit,
): Promise<T> {
  say(
    `starting ${RESOURCE_MANAGERS} resource managers, ${COORDINATORS} coordinators and ${WORKERS} workers, mode ${mode} ...`,
  );
  const cluster = await AdmissionCluster.start({
    root,
    name: network ? 'partition' : mode,
    mode,
    limit,
    ...(network && { placeOf: network.placeOf }),
  });
  try {
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}
