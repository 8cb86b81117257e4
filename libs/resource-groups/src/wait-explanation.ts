import { type Instant } from '@tutti/base';
import { type Blocked, limitAndUse, limitKind } from './blocked.js';
import type { ClusterSize } from './effective-limit.js';
import type { AdmissionMode } from './group-config.js';
import type { GroupNode } from './group-node.js';
import { blockedByLease, decidedOnAgeMs, type LeaseFacts, waitLease } from './leased-wait.js';
import type { LiveQuery } from './live-query.js';
import { type QueriesAhead, queriesAhead } from './queries-ahead.js';
import type { SeatId } from './seats/shard.js';
import { cpuComesBack, waitSentence, whatUnblocks } from './wait-sentence.js';

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
  /**
   * Age of the oldest report in the data; undefined when there is no data that counts. In mode leased, where slots decide,
   * that of the lease: since the last demand that was answered was sent.
   */
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
  /** How the limits of the group are kept. */
  readonly mode: AdmissionMode;
  /** In mode leased: what the lease says. */
  readonly lease: WaitLease | undefined;
}

/** What a query that waits in leased mode can say of the lease of its leaf. */
export interface WaitLease {
  /** The resource manager that deals the slots; undefined when none is known. */
  readonly owner: SeatId | undefined;
  /** The highest epoch of an owner that is known. */
  readonly epoch: number;
  /** How many queries of the leaf may run here. */
  readonly held: number;
  /** Whether the lease holds: otherwise nothing starts. */
  readonly isValid: boolean;
  /** Since the last demand that was answered was sent; undefined before the first. */
  readonly leaseAgeMs: number | undefined;
  /** Slots of the blocking group that all coordinators hold together, as the owner last said. */
  readonly heldInCluster: number | undefined;
  /** Queries of other coordinators that come before the first one that waits here in the leaf, as the owner last said. */
  readonly aheadElsewhere: number | undefined;
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
  readonly mode: AdmissionMode;
  /** In mode leased. */
  readonly lease: LeaseFacts | undefined;
}

export function explanationOf(facts: WaitFacts): WaitExplanation {
  const { query, dataAgeMs, now, lease, mode } = facts;
  const blocked = lease === undefined ? blockedByUsage(facts) : blockedByLease(query, lease, facts);
  const { kind, group, ahead } = blocked;
  return {
    kind,
    blockingGroup: group.path,
    hardConcurrencyLimit: group.spec.hardConcurrencyLimit,
    runningHere: group.here.running,
    runningElsewhere: group.elsewhere.running,
    queuedAhead: ahead.count,
    dataAgeMs: lease === undefined ? dataAgeMs : decidedOnAgeMs(kind, lease, dataAgeMs),
    message: waitSentence(blocked, facts),
    limit: blocked.limit,
    used: blocked.used,
    claimsHere: group.here.claimed,
    position: ahead.count + 1,
    unblockedBy: whatUnblocks(blocked, facts),
    estimatedWaitMs: estimatedWaitMs(blocked, now),
    mode,
    lease: lease && waitLease(lease),
  };
}

function blockedByUsage(facts: WaitFacts): Blocked {
  const { query, cluster } = facts;
  const { leaf } = query;
  const place = leaf.queue?.positionOf(query) ?? 0;
  const full = leaf.lineage.find((node) => node.isFull);
  const kind = kindOf(full, place < (leaf.queue?.claims.made ?? 0), facts);
  const aheadAt = (node: GroupNode): QueriesAhead => queriesAhead(query, place, node, facts.knownRound);
  const crowded = (node: GroupNode): boolean => node.running + aheadAt(node).count >= node.limit;
  const group = full ?? (kind === 'queuedAhead' ? leaf.lineage.find(crowded) : undefined) ?? leaf;
  return { kind, group, ahead: aheadAt(group), ...limitAndUse(kind, group, cluster) };
}

function kindOf(full: GroupNode | undefined, hasClaim: boolean, facts: WaitFacts): WaitKind {
  const { dataAgeMs, unavailableMs, isHeld, isKnown, mode } = facts;
  if (mode === 'presto') return full === undefined ? 'queuedAhead' : limitKind(full);
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
