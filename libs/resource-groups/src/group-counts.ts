import type { GroupCounts } from './group-events.js';
import type { GroupNode } from './group-node.js';

/** What to report of this very group. As long as nothing changes it is the same object: it is asked for often. */
export function countsOf(node: GroupNode): GroupCounts {
  const { own, queue, spec, path, lastCounts: last } = node;
  const claimed = queue?.claims.made ?? 0;
  // Mode presto asks nobody before a start: there reports are all that others hear.
  const untold = node.root.mode === 'presto' ? 0 : node.unasked;
  const queued = Math.max(claimed, (queue?.size ?? 0) - untold);
  const claimRound = queue !== undefined && claimed > 0 ? queue.claims.round : 0;
  if (
    last?.running === own.running &&
    last.queued === queued &&
    last.claimed === claimed &&
    last.claimRound === claimRound &&
    last.memoryBytes === own.memoryBytes &&
    last.cpuMs === own.cpuMs
  )
    return last;
  return (node.lastCounts = {
    group: path,
    running: own.running,
    queued,
    claimed,
    claimRound,
    hardConcurrencyLimit: spec.hardConcurrencyLimit,
    maxQueued: spec.maxQueued,
    memoryBytes: own.memoryBytes,
    cpuMs: own.cpuMs,
    cpuQuotaMsPerSecond: spec.cpuQuotaMsPerSecond,
    template: spec.template === path ? '' : spec.template,
  });
}
