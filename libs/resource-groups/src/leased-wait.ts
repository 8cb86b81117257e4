// Why a query in leased mode waits: by what is known here, and by what the owner of its group last said.
import type { Instant } from '@tutti/base';
import { type Blocked, limitAndUse, limitKind, milliseconds } from './blocked.js';
import type { ClusterSize } from './effective-limit.js';
import type { GroupNode } from './group-node.js';
import type { LeafHint } from './leases/lease-messages.js';
import type { LiveQuery } from './live-query.js';
import type { QueriesAhead } from './queries-ahead.js';
import type { SeatId } from './seats/shard.js';
import type { ShardLeases } from './shard-leases.js';
import type { WaitLease } from './wait-explanation.js';

/** What is known of the lease of a leaf. */
export interface LeaseFacts {
  readonly owner: SeatId | undefined;
  readonly epoch: number;
  readonly held: number;
  readonly running: number;
  readonly isValid: boolean;
  readonly leaseAgeMs: number | undefined;
  readonly hint: LeafHint | undefined;
  /** For how long no owner is known. */
  readonly unroutedMs: number | undefined;
  /** Slots of a group that are held here, with those below it. */
  readonly heldBelow: (group: GroupNode) => number;
}

export function leaseFacts(leases: ShardLeases, { path }: GroupNode, now: Instant): LeaseFacts {
  const { holder, route, unroutedSince } = leases;
  const lease = holder.explain(path, now);
  return {
    owner: route?.seat,
    epoch: lease?.epoch ?? holder.position.epochSeen,
    held: lease?.held ?? 0,
    running: lease?.running ?? 0,
    isValid: holder.isValid(now),
    leaseAgeMs: lease?.leaseAgeMs,
    hint: holder.hint(path),
    unroutedMs: unroutedSince === undefined ? undefined : now - unroutedSince,
    heldBelow: (group) => leases.heldBelow(group, now),
  };
}

export const waitLease = ({ owner, epoch, held, isValid, leaseAgeMs, hint }: LeaseFacts): WaitLease => ({
  ...{ owner, epoch, held, isValid, leaseAgeMs },
  ...{ heldInCluster: hint?.held, aheadElsewhere: hint?.aheadElsewhere },
});

/** What a query waits for, at which group. */
export function blockedByLease(
  query: LiveQuery,
  lease: LeaseFacts,
  { cluster }: { readonly cluster: Readonly<ClusterSize> },
): Blocked {
  const { leaf } = query;
  const { hint, owner, isValid } = lease;
  const ahead = aheadOf(query, hint);
  const closed = leaf.lineage.find((node) => node.isClosed);
  if (closed !== undefined && (owner !== undefined || closed.spec.hardConcurrencyLimit === 0)) {
    const kind = limitKind(closed);
    const isForSlots = kind === 'concurrencyLimit' && closed.limit > 0;
    if (!isForSlots) return { kind, group: closed, ahead, ...limitAndUse(kind, closed, cluster) };
    if (isValid) return { kind, ahead, ...slotsOf(leaf, lease, closed) };
  }
  if (owner === undefined) return { kind: 'resourceManagersUnreachable', group: leaf, ahead, ...ofLeaf(lease) };
  if (!isValid) return { kind: 'staleData', group: leaf, ahead, ...ofLeaf(lease) };
  const full = fullByOwner(leaf, hint);
  if (full === undefined) return { kind: 'queuedAhead', group: leaf, ahead, ...ofLeaf(lease) };
  return { kind: 'concurrencyLimit', ahead, ...full };
}

type FullGroup = Pick<Blocked, 'group' | 'limit' | 'used'>;

/** The group that is full for what all coordinators hold, as the owner last said. */
function fullByOwner({ lineage }: GroupNode, hint: LeafHint | undefined): FullGroup | undefined {
  const group = hint && lineage.find(({ path }) => path === hint.blockingGroup);
  return group && { group, limit: hint.limit, used: hint.held };
}

/** What is held of the lowest full group, when what runs here fills one: the owner need not have said so yet. */
function slotsOf(leaf: GroupNode, { hint, heldBelow }: LeaseFacts, closed: GroupNode): FullGroup {
  const full = fullByOwner(leaf, hint);
  if (full !== undefined && full.group.depth > closed.depth) return full;
  const here = Math.max(heldBelow(closed), closed.here.running);
  return { group: closed, limit: closed.limit, used: full?.group === closed ? Math.max(full.used, here) : here };
}

/** In words: for what a lease alone can say; undefined for what is said as in other modes. */
export function leasedSentence({ kind, group, limit, used }: Blocked, lease: LeaseFacts): string | undefined {
  const { owner = '', held, running, leaseAgeMs, unroutedMs = 0, heldBelow } = lease;
  const inUse = held === 0 ? 'no slot is held here' : `${running} of ${held} slots that are held here are in use`;
  switch (kind) {
    case 'resourceManagersUnreachable':
      return `resource managers unreachable: none that deals its slots has been heard for ${milliseconds(unroutedMs)}; ${inUse}`;
    case 'staleData':
      return leaseAgeMs === undefined
        ? `${owner} deals its slots and has been asked for one`
        : `its lease is over, the last one was asked for ${milliseconds(leaseAgeMs)} ago; ${owner} has been asked for another`;
    case 'queuedAhead':
      return `${inUse}, and ${owner} has been asked for more`;
    case 'concurrencyLimit': {
      if (group.limit === 0) return undefined;
      const here = Math.max(heldBelow(group), group.here.running);
      const where = `${here} here and ${Math.max(0, used - here)} on other coordinators`;
      return `${used} of ${limit} slots are held, ${where} (lease of ${owner}, ${milliseconds(leaseAgeMs ?? 0)} old)`;
    }
    default:
      return undefined;
  }
}

/** The age of what a wait was told by: of usage where that decides, otherwise of the lease. */
export function decidedOnAgeMs(kind: Blocked['kind'], lease: LeaseFacts, usageAgeMs: number | undefined) {
  const isUsage = kind === 'memoryLimit' || kind === 'cpuLimit' || kind === 'workersPerQueryLimit';
  return isUsage ? usageAgeMs : lease.leaseAgeMs;
}

/** What would let it start, as above. */
export function leaseUnblocks({ kind, group, limit, used }: Blocked, { owner }: LeaseFacts): string | undefined {
  switch (kind) {
    case 'resourceManagersUnreachable':
      return 'a resource manager deals its slots again';
    case 'staleData':
      return `the answer of ${owner ?? ''}`;
    case 'queuedAhead':
      return `${owner ?? ''} grants another slot`;
    case 'concurrencyLimit': {
      if (group.limit === 0) return undefined;
      const ends = used - limit + 1;
      return ends > 1 ? `${ends} queries of ${group.path} end` : `a query of ${group.path} ends`;
    }
    default:
      return undefined;
  }
}

/**
 * Its place in its leaf, and those that go first elsewhere. The owner tells that of the first query that waits here; before
 * any other one as many as wait elsewhere may go.
 */
function aheadOf(query: LiveQuery, hint: LeafHint | undefined): QueriesAhead {
  const { queue, elsewhere } = query.leaf;
  const here = queue?.positionOf(query) ?? 0;
  const sure = hint?.aheadElsewhere ?? 0;
  const most = hint !== undefined && here === 0 ? sure : Math.max(sure, elsewhere.queued);
  return { count: here + most, here, isBound: most > sure || (hint?.isApproximate ?? false) };
}

const ofLeaf = ({ held, running }: LeaseFacts) => ({ limit: held, used: running });
