// Who gets what is free, and who is asked to give back. Safety is in DealNode (N1) and in what is copied; here is policy.
//   P1. Whoever waits gets a slot that is free for it, one by one in the order of turns (turn-order.ts) from the root down,
//       and in a leaf in the order of leaf-waiters.ts (A3).
//   P2. Slots for queries to come are given only where nobody who waits could use them, and never more than half of the
//       room at once. Where more are wanted than there is room for, all get the same part of what they want. Where little
//       is left free, who holds more than its part gives it back.
//   P3. When somebody waits for a full group, slots that nothing needs are called back first. When there are none, all
//       give back what becomes spare; whoever has nothing waiting gives back each slot whose query ends. So do those below a
//       group that has more than its part (deal-shares.ts) until it has that; in a leaf, and where the queries that wait
//       decide whose turn it is, each of those for whom it is not gives back a quarter so.
//   P4. Where more is booked than the limit allows nothing starts in place of what is too much.
//   P5. Who was pushed a part of the limit since it last spoke goes after all others in its leaf, and gets nothing once it
//       should have said that it used that. The queries of one that stands still are soon the oldest of all: it would
//       collect every slot.
import { type Instant, instant } from '@tutti/base';
import { type DealNode, RESERVE_PART } from './deal-node.js';
import { excessOf } from './deal-shares.js';
import type { Holding } from './holding.js';
import { isSameWish, isWishing, NO_WISH, type Wish, type WishMode } from './lease-messages.js';
import type { Life } from './life.js';
import type { OwnerState } from './owner-state.js';

const GIVE_BACK_PART = 1 / 4;
/** Who holds so many more than its part of what is for queries to come need not give them back. */
const EXTRA_MAX = 1;

/** P1 */
export function deal(owner: OwnerState, now: Instant): void {
  for (const root of owner.toDeal) {
    const dealt = new Set<Holding>();
    for (let holding; (holding = root.next(now)) !== undefined; dealt.add(holding)) raise(owner, holding, 1, now);
    for (const holding of dealt) aim(owner, holding, now);
  }
  owner.toDeal.clear();
}

/** The same for everybody, when dealing begins. */
export function serveAll(owner: OwnerState, now: Instant): void {
  for (const life of owner.lives.values()) {
    life.servedAt = instant(-Infinity);
    serve(owner, life, now);
  }
}

/** P2 and P3, for what one coordinator wants: what it has just told, and now and then everything. */
export function serve(owner: OwnerState, life: Life, now: Instant): void {
  const isDue = now - life.servedAt >= owner.timing.renewMs / 2;
  if (isDue) life.servedAt = now;
  for (const holding of isDue ? life.wanting : owner.readNow) {
    if (!life.wanting.has(holding)) continue;
    const { leaf, unmet, held } = holding;
    if (unmet > 0) callBack(owner, leaf, unmet, now);
    else if (leaf.isLeaf && owner.mayTake(life)) {
      const room = Math.min(...leaf.lineage.map((node) => node.room));
      const more = Math.min(comfort(holding) - held, Math.ceil(room / 2));
      if (more > 0) raise(owner, holding, more, now);
    }
  }
}

/** What is asked back of a coordinator: in what it has just told, and now and then in everything. */
export function aimAt(owner: OwnerState, life: Life, now: Instant): void {
  const isDue = now - life.aimedAt >= owner.timing.renewMs / 2;
  if (isDue) life.aimedAt = now;
  for (const holding of owner.readNow) aim(owner, holding, now);
  if (isDue) for (const holding of life.wished) aim(owner, holding, now);
}

/** What is asked back in a group, of everybody. */
export function aimBelow(owner: OwnerState, group: DealNode, now: Instant): void {
  for (const holding of group.holdings) if (holding.held > 0) aim(owner, holding, now);
  for (const child of group.children) if (child.booked > 0) aimBelow(owner, child, now);
}

/** Lets those go first who have waited without any slot for longer than anybody should. */
export function keepFloor(owner: OwnerState, now: Instant): void {
  for (const leaf of owner.tree.all) {
    const { waiters } = leaf;
    if (waiters.size < 2 || !waiters.mayStarve) continue;
    for (const holding of leaf.holdings) {
      const since = Math.max(holding.dealtAt, holding.head?.since ?? now);
      const hasNone = holding.share.unmet > 0 && holding.held === 0;
      if (!hasNone || holding.isOverdue || now - since < owner.timing.floorMs) continue;
      holding.isOverdue = true;
      owner.settle(holding);
    }
    if (waiters.first?.isOverdue) aimBelow(owner, leaf, now);
  }
}

/** P5 */
export function noteSilence(owner: OwnerState, now: Instant): void {
  for (const life of owner.lives.values()) {
    if (life.isSilent || life.pushedAt === undefined || now - life.pushedAt < owner.timing.confirmMs) continue;
    life.isSilent = true;
    owner.settleAll(life);
  }
}

function raise(owner: OwnerState, holding: Holding, by: number, now: Instant): void {
  holding.held += by;
  holding.dealtAt = now;
  if (holding.life.owed === undefined) {
    holding.pushed += by;
    holding.life.pushedAt ??= now;
  }
  holding.life.raised.add(holding);
  owner.touched.add(holding.life);
  owner.settle(holding, true);
}

/** P3 */
function callBack(owner: OwnerState, leaf: DealNode, unmet: number, now: Instant): void {
  const full = leaf.lineage.find(({ room }) => room <= 0);
  if (full === undefined || !leaf.isLeaf) return;
  let need = Math.min(unmet, full.unmet - full.called);
  while (need > 0 && full.idle > 0) {
    const holding = idleBelow(full);
    if (holding === undefined) break;
    const { held, wish, recallable } = holding;
    const called = Math.min(need, recallable);
    setWish(owner, holding, { mode: 'spare', keep: (isWishing(wish, held) ? wish.keep : held) - called });
    need -= called;
  }
  if (need <= 0 || full.hasCalledAll) return;
  full.hasCalledAll = true;
  aimBelow(owner, full, now);
}

function idleBelow(node: DealNode): Holding | undefined {
  for (const holding of node.holdings) if (holding.share.idle > 0) return holding;
  for (const child of node.children) if (child.idle > 0) return idleBelow(child);
  return undefined;
}

/** What it needs now, and its part of what can be had for queries to come (P2). */
function comfort({ leaf, running, waiting, slack }: Holding): number {
  const part = Math.min(...leaf.lineage.map((node) => node.slackPart));
  return running + waiting + Math.ceil(slack * part);
}

function wishFor(holding: Holding, fairGapMs: number, now: Instant): Wish {
  const { held } = holding;
  const enough = comfort(holding);
  let wish = NO_WISH;
  if (holding.life.standing !== 'leased') return wish;
  let below: DealNode | undefined;
  for (const node of holding.leaf.lineage) {
    if (node.room < 0) wish = stronger(wish, { mode: 'stop', keep: Math.max(0, held + node.room) });
    else if (node.room === 0 && node.hasTaker) wish = stronger(wish, givesBack(holding, node, below, fairGapMs, now));
    else if (node.room < node.limit * RESERVE_PART && held > enough + EXTRA_MAX)
      wish = stronger(wish, { mode: 'spare', keep: enough });
    below = node;
  }
  return isWishing(wish, held) ? wish : NO_WISH;
}

const STRENGTH: Record<WishMode, number> = { none: 0, spare: 1, ends: 2, stop: 3 };

const stronger = (a: Wish, b: Wish): Wish =>
  STRENGTH[b.mode] > STRENGTH[a.mode] || (b.mode === a.mode && b.keep < a.keep) ? b : a;

/** What is wanted back of a holding while others wait for a full group. */
function givesBack(
  holding: Holding,
  full: DealNode,
  below: DealNode | undefined,
  fairGapMs: number,
  now: Instant,
): Wish {
  const { held, waiting, unmet } = holding;
  if (waiting === 0) return { mode: 'ends', keep: 0 };
  if (below !== undefined && full.hasParts) {
    full.shares.divide(full, now);
    const excess = Math.max(0, excessOf(below));
    const part = Math.min(held, Math.ceil((excess * held) / Math.max(1, below.booked)));
    return part > 0 ? { mode: 'ends', keep: held - part } : { mode: 'spare', keep: 0 };
  }
  const first = full.waiters.first;
  const isItsTurn = first === undefined ? full.nextChild === below : !hasWaitedClearlyLonger(first, holding, fairGapMs);
  if (unmet === 0 || isItsTurn) return { mode: 'spare', keep: 0 };
  return { mode: 'ends', keep: held - Math.ceil(held * GIVE_BACK_PART) };
}

function hasWaitedClearlyLonger(first: Holding, other: Holding, fairGapMs: number): boolean {
  if (first === other) return false;
  const [head, otherHead] = [first.head, other.head];
  if (head === undefined || otherHead === undefined) return false;
  return first.isOverdue || head.priority > otherHead.priority || head.since + fairGapMs < otherHead.since;
}

function aim(owner: OwnerState, holding: Holding, now: Instant): void {
  setWish(owner, holding, wishFor(holding, owner.timing.fairGapMs, now));
}

function setWish(owner: OwnerState, holding: Holding, wish: Wish): void {
  if (isSameWish(holding.wish, wish)) return;
  holding.wish = wish;
  holding.life.wished.add(holding);
  owner.touched.add(holding.life);
  owner.settle(holding);
}
