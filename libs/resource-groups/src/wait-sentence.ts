// Why a query waits, and what would end it, in words.
import { formatDuration, formatSize, unreachable } from '@tutti/base';
import { type Blocked, milliseconds } from './blocked.js';
import type { GroupNode } from './group-node.js';
import { leasedSentence, leaseUnblocks } from './leased-wait.js';
import type { QueriesAhead } from './queries-ahead.js';
import type { WaitFacts } from './wait-explanation.js';

/** A lease ends when its coordinator stands still, or hears nothing of the owner, for too long. */
const LOST_SLOT = 'lost its slot, since its lease was over and no worker had a task of it';

/** For example: waits in "global": 20 of 20 run, 2 here and 18 on other coordinators (data 35 ms old). */
export function waitSentence(blocked: Blocked, facts: WaitFacts): string {
  const { kind, group, ahead, limit, used } = blocked;
  const { dataAgeMs, refusedAgeMs, unavailableMs, lease } = facts;
  const { spec, here, elsewhere, running } = group;
  const hasData = dataAgeMs !== undefined;
  const data = hasData ? `data ${milliseconds(dataAgeMs)} old` : 'no data of them';
  const where = `${here.running} here and ${elsewhere.running} on other coordinators (${data})`;
  const counts = `${running} of ${group.limit} run, ${where}`;
  const queue = ahead.count === 0 ? '' : `; ${aheadInWords(ahead)}${hasData ? '' : ' here'}`;
  const { hasLostSlot } = facts.query;
  const start = `${hasLostSlot ? `${LOST_SLOT}; waits again` : 'waits'} in "${group.path}":`;
  const leased = lease && leasedSentence(blocked, lease);
  if (leased !== undefined) return `${start} ${leased}${ahead.count === 0 ? '' : `; ${aheadInWords(ahead)}`}`;
  switch (kind) {
    case 'concurrencyLimit':
      if (group.limit === 0) return `${start} its hardConcurrencyLimit is 0, nothing may run`;
      return `${start} ${counts}${queue}`;
    case 'memoryLimit':
      return `${start} its queries hold ${formatSize(used)}, more than its softMemoryLimit of ${formatSize(limit)} (${data})${queue}`;
    case 'cpuLimit': {
      const use = `its queries used ${formatDuration(used)} of CPU`;
      const back = `it gets back ${formatDuration(spec.cpuQuotaMsPerSecond)} every second`;
      if (group.limit === 0)
        return `${start} ${use}, its hardCpuLimit is ${formatDuration(limit)}; ${back} (${data})${queue}`;
      const fewer = `so ${group.limit} instead of ${spec.hardConcurrencyLimit} may run`;
      return `${start} ${counts}; ${use}, its softCpuLimit is ${formatDuration(limit)}, ${fewer}${queue}`;
    }
    case 'workersPerQueryLimit': {
      const { activeWorkers } = facts.cluster;
      const workers = `${activeWorkers} ${activeWorkers === 1 ? 'worker' : 'workers'}`;
      return `${start} ${counts}; its workersPerQueryLimit of ${spec.workersPerQueryLimit} lets no more run on ${workers}${queue}`;
    }
    case 'queuedAhead':
      return `${start} ${counts}, and others came first${queue}`;
    case 'staleData':
      if (hasData && facts.isHeld)
        return `${start} another resource manager answers than before; it must hear of all that started${queue}`;
      if (refusedAgeMs === undefined) return `${start} asking the resource managers what runs elsewhere${queue}`;
      return `${start} the newest answer tells what ran ${milliseconds(refusedAgeMs)} ago, too old to decide on${queue}`;
    case 'resourceManagersUnreachable': {
      const full = fillsIt(group) ? `, and here alone ${here.running} of ${group.limit} run` : '';
      return `${start} no resource manager has answered for ${milliseconds(unavailableMs ?? 0)}${full}${queue}`;
    }
    default:
      return unreachable(kind);
  }
}

/** What has to happen, besides that those ahead start. */
export function whatUnblocks(blocked: Blocked, facts: WaitFacts): string {
  const { kind, group, limit, used } = blocked;
  const leased = facts.lease && leaseUnblocks(blocked, facts.lease);
  if (leased !== undefined) return leased;
  const { path, running } = group;
  // More may run than the limit of now: those beyond it must end, too.
  const ends = running - group.limit + 1;
  const anEnd = ends > 1 ? `${ends} queries of ${path} end` : `a query of ${path} ends`;
  switch (kind) {
    case 'concurrencyLimit':
      return group.limit === 0 ? `another configuration with a higher hardConcurrencyLimit of ${path}` : anEnd;
    case 'memoryLimit': {
      const holders = running === 1 ? `the query of ${path} holds` : `the ${running} queries of ${path} hold`;
      return `${holders} ${formatSize(limit)} or less`;
    }
    case 'cpuLimit': {
      const { missingMs, afterMs } = cpuComesBack({ group, limit, used });
      const takes = afterMs === undefined ? '' : `, which takes ${formatDuration(afterMs)}`;
      const back = `${formatDuration(missingMs)} of its CPU quota come back${takes}`;
      return group.limit === 0 || running === 0 ? back : `${anEnd}, or ${back}`;
    }
    case 'workersPerQueryLimit':
      return `${anEnd}, or more workers join`;
    case 'queuedAhead':
      return 'those ahead start';
    case 'staleData':
      if (facts.isHeld) return 'a quarter of a second passes';
      return facts.refusedAgeMs === undefined
        ? 'the answer of a resource manager'
        : 'the silent coordinator reports, or counts as gone';
    case 'resourceManagersUnreachable':
      return fillsIt(group) ? `a resource manager answers, and ${anEnd}` : 'a resource manager answers';
    default:
      return unreachable(kind);
  }
}

/** How much CPU has to come back, and when it will have if nothing uses more; undefined without a quota. */
export function cpuComesBack({ group, limit, used }: Pick<Blocked, 'group' | 'limit' | 'used'>): {
  readonly missingMs: number;
  readonly afterMs: number | undefined;
} {
  // Just at the limit nothing starts: a millisecond has to come back at least.
  const missingMs = Math.max(1, used - limit);
  const { cpuQuotaMsPerSecond: quota } = group.spec;
  return { missingMs, afterMs: quota > 0 ? (1_000 * missingMs) / quota : undefined };
}

/** Whether what runs here alone leaves no room. */
const fillsIt = ({ here, limit }: GroupNode): boolean => here.running > 0 && here.running >= limit;

const aheadInWords = ({ count, isBound }: QueriesAhead): string =>
  `${isBound ? 'up to ' : ''}${count} ${count === 1 ? 'query is' : 'queries are'} ahead`;
