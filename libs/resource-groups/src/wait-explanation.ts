import { type Instant } from '@tutti/base';
import type { ClusterSize } from './effective-limit.js';
import { softMemoryLimitBytes } from './effective-limit.js';
import type { GroupNode } from './group-node.js';
import type { LiveQuery } from './live-query.js';
import { type QueriesAhead, queriesAhead } from './queries-ahead.js';
import { type Blocked, cpuComesBack, waitSentence, whatUnblocks } from './wait-sentence.js';

/** What a queued query waits for. */
export type WaitKind =
  | 'concurrencyLimit'
  | 'memoryLimit'
  | 'cpuLimit'
  | 'workersPerQueryLimit'
  | 'queuedAhead'
  | 'staleData'
  | 'resourceManagersUnreachable';

/** Why a query has not started. */
export interface WaitExplanation {
  readonly kind: WaitKind;
  /** The first group, from the leaf up, that has no room; the leaf when that is not what is missing. */
  readonly blockingGroup: string;
  readonly hardConcurrencyLimit: number;
  readonly runningHere: number;
  readonly runningElsewhere: number;
  /**
   * Queries that come before it at the blocking group, as of the data and if nothing else comes. With a claim it is
   * exact, here and elsewhere. Without one it is those that go before it here in the order of the groups, and all that
   * wait elsewhere: some of these may come later. Without data it counts those here alone.
   */
  readonly queuedAhead: number;
  /** Age of the oldest report in the data; undefined when there is no data that counts. */
  readonly dataAgeMs: number | undefined;
  /** The same in one sentence. */
  readonly message: string;
  /** The limit that is reached, in its unit: queries, bytes for memory, milliseconds for CPU. */
  readonly limit: number;
  /** What counts against it now, over the whole cluster. */
  readonly used: number;
  /** Starts that this coordinator has asked for in the blocking group and not made yet. */
  readonly claimsHere: number;
  /** Its place among those that wait for the blocking group: 1 is next. */
  readonly position: number;
  /** What would let it start, in one sentence. */
  readonly unblockedBy: string;
  /**
   * How long it waits if queries go on to start here as in the last minute; at a hardCpuLimit at least until enough CPU
   * has come back, if nothing uses more meanwhile. Undefined when neither is known.
   */
  readonly estimatedWaitMs: number | undefined;
}

/** What an explanation is made from, besides the query and its groups. */
export interface WaitFacts {
  readonly query: LiveQuery;
  readonly now: Instant;
  readonly cluster: Readonly<ClusterSize>;
  /** The newest round of ours that the data knows; 0 without data. */
  readonly knownRound: number;
  readonly dataAgeMs: number | undefined;
  /** Age of the oldest report in the newest answer, when that was too old to decide on. */
  readonly refusedAgeMs: number | undefined;
  /** Whether nothing starts because another resource manager has just begun to answer. */
  readonly isHeld: boolean;
  /** For how long no resource manager has answered. */
  readonly unavailableMs: number | undefined;
  /** Whether the data was asked for late enough to decide on the query, if it has a claim and if not. */
  readonly isKnown: (hasClaim: boolean) => boolean;
}

export function explanationOf(facts: WaitFacts): WaitExplanation {
  const { query, dataAgeMs, now } = facts;
  const { leaf } = query;
  const place = leaf.queue?.positionOf(query) ?? 0;
  const full = leaf.lineage.find((node) => node.isFull);
  const kind = kindOf(full, place < (leaf.queue?.claims.made ?? 0), facts);
  const aheadAt = (node: GroupNode): QueriesAhead => queriesAhead(query, place, node, facts.knownRound);
  const crowded = (node: GroupNode): boolean => node.running + aheadAt(node).count >= node.limit;
  const group = full ?? (kind === 'queuedAhead' ? leaf.lineage.find(crowded) : undefined) ?? leaf;
  const ahead = aheadAt(group);
  const blocked = { kind, group, ahead, ...limitAndUse(kind, group, facts) };
  return {
    kind,
    blockingGroup: group.path,
    hardConcurrencyLimit: group.spec.hardConcurrencyLimit,
    runningHere: group.here.running,
    runningElsewhere: group.elsewhere.running,
    queuedAhead: ahead.count,
    dataAgeMs,
    message: waitSentence(blocked, facts),
    limit: blocked.limit,
    used: blocked.used,
    claimsHere: group.here.claimed,
    position: ahead.count + 1,
    unblockedBy: whatUnblocks(blocked, facts),
    estimatedWaitMs: estimatedWaitMs(blocked, now),
  };
}

function kindOf(full: GroupNode | undefined, hasClaim: boolean, facts: WaitFacts): WaitKind {
  const { dataAgeMs, unavailableMs, isHeld, isKnown } = facts;
  // Nothing starts until one answers, whatever ends here; but where nothing may run an answer changes nothing.
  if (dataAgeMs === undefined && unavailableMs !== undefined && full?.spec.hardConcurrencyLimit !== 0)
    return 'resourceManagersUnreachable';
  // What runs here alone may fill a group: that is known without any data.
  if (full !== undefined && (dataAgeMs !== undefined || full.here.running >= full.limit)) return limitKind(full);
  return dataAgeMs !== undefined && isKnown(hasClaim) && !isHeld ? 'queuedAhead' : 'staleData';
}

function estimatedWaitMs(blocked: Blocked, now: Instant): number | undefined {
  const { kind, group, ahead } = blocked;
  const startsPerMs = group.starts.perMs(now);
  const byStartsMs = startsPerMs === undefined ? undefined : (ahead.here + 1) / startsPerMs;
  const byQuotaMs = kind === 'cpuLimit' && group.limit === 0 ? cpuComesBack(blocked).afterMs : undefined;
  return byStartsMs === undefined || byQuotaMs === undefined
    ? (byStartsMs ?? byQuotaMs)
    : Math.max(byStartsMs, byQuotaMs);
}

function limitKind({ limitedBy }: GroupNode): WaitKind {
  switch (limitedBy) {
    case 'concurrency':
      return 'concurrencyLimit';
    case 'memory':
      return 'memoryLimit';
    case 'cpu':
      return 'cpuLimit';
    case 'workers':
      return 'workersPerQueryLimit';
  }
}

function limitAndUse(kind: WaitKind, group: GroupNode, { cluster }: WaitFacts): { limit: number; used: number } {
  const { hardCpuLimitMs = 0, softCpuLimitMs = 0 } = group.spec;
  switch (kind) {
    case 'memoryLimit':
      return { limit: Math.floor(softMemoryLimitBytes(group.spec, cluster)), used: group.memoryBytes };
    case 'cpuLimit':
      return { limit: group.cpuUsedMs >= hardCpuLimitMs ? hardCpuLimitMs : softCpuLimitMs, used: group.cpuUsedMs };
    default:
      return { limit: group.limit, used: group.running };
  }
}
