// How many queries of a group's siblings come before a query of the group, if nothing else comes and nothing ends: what
// turn-order.ts will do, worked out without doing it. Only queries without a claim count; claims have their order already.
//   B1. A sibling makes its claims one after the other, each at a later place by tier and rank. So those before a given
//       place can be counted without going through them.
//   B2. fair: exact, and so is query_priority as far as the limits of the groups below and guarantees are not reached.
//   B3. weighted and weighted_fair: what runs goes into the order, and nobody knows which query ends next. With more
//       groups in line than places, weighted_fair goes in turns: there is always one that runs nothing.
import type { GroupNode } from './group-node.js';
import type { LiveQuery } from './live-query.js';

/** Two ranks that differ by less are one: sums of inverse weights are not exact. */
const SAME_RANK = 1e-9;

/** Queries without a claim below a group. */
export const unclaimedBelow = ({ here }: GroupNode): number => here.queued - here.claimed;

/** A query of the group `own`, which so many of its own queries without a claim go before. */
interface Candidate {
  readonly query: LiveQuery;
  readonly own: GroupNode;
  readonly ownAhead: number;
  readonly policy: Policy;
}

/** How the parent orders: by rounds of turns, by a rank that grows with each claim, or by the queries themselves. */
type Policy = 'turns' | 'weighted' | 'weighted_fair' | 'query_priority';

/** How many queries without a claim, of all siblings of `own`, go before one that `ownAhead` of its group go before. */
export function siblingsBefore(
  query: LiveQuery,
  own: GroupNode,
  ownAhead: number,
): { count: number; isBound: boolean } {
  const { parent } = own;
  if (parent === undefined) return { count: 0, isBound: false };
  const waiting: GroupNode[] = [];
  for (const child of parent.children) if (child !== own && unclaimedBelow(child) > 0) waiting.push(child);
  if (waiting.length === 0) return { count: 0, isBound: false };
  const candidate: Candidate = { query, own, ownAhead, policy: policyOf(parent, waiting.length + 1) };
  let count = 0;
  let isBound = false;
  for (const sibling of waiting) {
    const before = countBefore(sibling, candidate);
    count += before;
    // At its own limit it lets others go first.
    isBound ||= sibling.limit < parent.limit && before > sibling.limit - promised(sibling);
  }
  return { count, isBound };
}

function policyOf(parent: GroupNode, inLine: number): Policy {
  const { policy } = parent;
  if (policy === 'fair') return 'turns';
  return policy === 'weighted_fair' && inLine >= promised(parent) ? 'turns' : policy; // B3
}

/** B1 */
function countBefore(sibling: GroupNode, candidate: Candidate): number {
  const { own, ownAhead } = candidate;
  const tier = tierAt(own, ownAhead);
  const [first, end] = [firstOfTier(sibling, tier), firstOfTier(sibling, tier + 1)];
  const inOrder = Math.min(end, Math.max(first, countByRank(sibling, first, firstOfTier(own, tier), candidate)));
  return Math.min(unclaimedBelow(sibling), inOrder);
}

/** As if tiers did not matter: only how many of the same tier come before is of use. */
function countByRank(sibling: GroupNode, first: number, ownFirst: number, candidate: Candidate): number {
  const { query, own, ownAhead, policy } = candidate;
  switch (policy) {
    case 'turns':
      return first + ownAhead - ownFirst + (isBefore(sibling, own) ? 1 : 0);
    case 'query_priority':
      return betterBelow(sibling, query);
    case 'weighted':
    case 'weighted_fair':
      return countByWeight(sibling, candidate);
  }
}

/** The sibling's claim number k, from 0, is made at a rank of its own: those at smaller ranks, and some at the same one. */
function countByWeight(sibling: GroupNode, { own, ownAhead, policy }: Candidate): number {
  const { schedulingWeight: weight } = sibling.spec;
  const target = startRank(own, policy, own) + ownAhead / own.spec.schedulingWeight;
  const turns = (target - startRank(sibling, policy, own)) * weight;
  const nearest = Math.round(turns);
  if (Math.abs(turns - nearest) > SAME_RANK * weight) return Math.max(0, Math.ceil(turns));
  return Math.max(0, nearest + (nearest >= 0 && winsTie(sibling, nearest, own, ownAhead) ? 1 : 0));
}

/** At the same rank goes first who claimed less lately: who goes to the back of its equals with each claim (T4). */
function winsTie(sibling: GroupNode, claims: number, own: GroupNode, ownClaims: number): boolean {
  const [weight, ownWeight] = [sibling.spec.schedulingWeight, own.spec.schedulingWeight];
  if (claims > 0 && ownClaims > 0 && weight !== ownWeight) return weight < ownWeight;
  return claims === ownClaims ? isBefore(sibling, own) : claims < ownClaims;
}

/** Its rank now. Who cannot claim now comes back at the place of the others (T3). */
function startRank(node: GroupNode, policy: Policy, own: GroupNode): number {
  if (policy === 'weighted_fair') return promised(node) / node.spec.schedulingWeight;
  return isInLine(node) ? node.turn.pass : Math.max(node.turn.pass, own.turn.pass);
}

/** Queries below the group that are before `query` by priority and age: leaves below `query_priority` have one order. */
function betterBelow({ queue, children }: GroupNode, query: LiveQuery): number {
  if (queue !== undefined) return Math.max(0, queue.positionOf(query) - queue.claims.all);
  let count = 0;
  for (const child of children) if (unclaimedBelow(child) > 0) count += betterBelow(child, query);
  return count;
}

const isInLine = ({ turn }: GroupNode): boolean => turn.heapIndex >= 0;

function isBefore(sibling: GroupNode, own: GroupNode): boolean {
  if (!isInLine(sibling)) return false;
  const [a, b] = [sibling.turn, own.turn];
  return a.rank !== b.rank ? a.rank < b.rank : a.age < b.age;
}

const promised = ({ running, here }: GroupNode): number => running + here.claimed;

/** The tier after so many more claims: T1 and T3 of turn-order.ts. */
function tierAt(node: GroupNode, claims: number): number {
  let tier = 0;
  while (firstOfTier(node, tier + 1) <= claims) tier++;
  return tier;
}

/** After how many more claims it is in that tier, or in a later one. */
function firstOfTier(node: GroupNode, tier: number): number {
  const { guarantee, softConcurrencyLimit } = node.spec;
  const toGuarantee = Math.max(0, guarantee - promised(node));
  if (tier <= 0) return 0;
  if (node.parent?.policy !== 'weighted') return tier === 1 ? toGuarantee : Infinity;
  const toSoft = Math.max(0, softConcurrencyLimit - promised(node));
  return [0, Math.min(toGuarantee, toSoft), toGuarantee, Math.max(toGuarantee, toSoft)][tier] ?? Infinity;
}
