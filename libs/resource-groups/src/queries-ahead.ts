// How many queries come before a waiting one.
//   P1. Claims that stand come first, in their order: those of others and ours.
//   P2. The rest comes in the order in which claims will be made: by its place in the leaf, and from there up to the group
//       by the turns of siblings (turns-before.ts).
//   P3. What waits elsewhere may come first, all of it, unless a claim that others know says otherwise.
import type { GroupNode } from './group-node.js';
import type { LiveQuery } from './live-query.js';
import { siblingsBefore, unclaimedBelow } from './turns-before.js';

/** Queries that come before another one. */
export interface QueriesAhead {
  readonly count: number;
  /** How many of them wait here. */
  readonly here: number;
  /** Whether some of them may come later. */
  readonly isBound: boolean;
}

/** Queries before one, of those that wait for a group on its path. `place` is in its leaf, `knownRound` as in WaitFacts. */
export function queriesAhead(query: LiveQuery, place: number, group: GroupNode, knownRound: number): QueriesAhead {
  const { leaf } = query;
  const claims = leaf.queue?.claims;
  if (claims !== undefined && place < claims.made && claims.round <= knownRound) {
    const here = claimsAheadHere(leaf, place, group);
    return { count: here + claimsAheadElsewhere(leaf, claims.round, group), here, isBound: false };
  }
  const { count: here, isBound } = aheadHere(query, place, group);
  const elsewhere = group.elsewhere.queued;
  return { count: here + elsewhere, here, isBound: isBound || elsewhere > 0 }; // P3
}

function aheadHere(query: LiveQuery, place: number, group: GroupNode): { count: number; isBound: boolean } {
  const { leaf } = query;
  const claims = leaf.queue?.claims;
  if (claims !== undefined && place < claims.made)
    return { count: claimsAheadHere(leaf, place, group), isBound: false };
  if (claims !== undefined && place < claims.all) {
    // It gets its place in the order when the claims of its leaf are used up: at most all other claims come before.
    const others = group.here.claimed - leaf.here.claimed;
    return { count: place + others, isBound: others > 0 };
  }
  let unclaimed = place - (claims?.all ?? 0);
  let isBound = false;
  for (let node: GroupNode | undefined = leaf; node !== undefined && node !== group; node = node.parent) {
    const before = siblingsBefore(query, node, unclaimed);
    unclaimed += before.count;
    isBound ||= before.isBound;
  }
  return { count: group.here.claimed + Math.min(unclaimed, unclaimedBelow(group)), isBound };
}

/** Claims here that come before one of the leaf, which has `place` of its own before it. */
function claimsAheadHere(leaf: GroupNode, place: number, group: GroupNode): number {
  let count = 0;
  let ownLeft = place;
  for (let link = leaf.root.claims.first; link !== undefined; link = link.next) {
    if (link.value === leaf && ownLeft-- === 0) break;
    if (isBelow(link.value, group)) count++;
  }
  return count;
}

const claimsAheadElsewhere = ({ root }: GroupNode, round: number, group: GroupNode): number =>
  root.claimsElsewhere.reduce(
    (sum, claims) => sum + (claims.round <= round && isBelow(claims.node, group) ? claims.count : 0),
    0,
  );

const isBelow = (node: GroupNode, group: GroupNode): boolean => node.lineage[node.depth - group.depth] === group;
