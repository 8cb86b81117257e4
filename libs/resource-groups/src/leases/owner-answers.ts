// What leaves an owner after each event.
//   A6. A cap is told only after a second seat keeps it, and never less than what was told before for the same demand.
//   A7. Each demand that is read gets one answer. It waits for the copies of its increases for copyPatienceMs; what is
//       not copied by then follows.
import { type Instant, instant } from '@tutti/base';
import { vend } from './deal-cpu.js';
import type { Holding } from './holding.js';
import { type Grant, isSameWish, type LeafCap, type Wish } from './lease-messages.js';
import type { Life } from './life.js';
import { later } from './lease-timing.js';
import type { OwnerEffect } from './owner-events.js';
import { newHints } from './owner-hints.js';
import type { OwnerState } from './owner-state.js';

/** Sends what is owed. Copies first: what they are for cannot leave without them. */
export function flush(owner: OwnerState, now: Instant, out: OwnerEffect[]): void {
  for (const life of owner.touched) {
    for (const holding of life.mustCopyAll ? life.holdings.values() : life.raised) copyIfNeeded(owner, holding);
  }
  const entries = owner.copies.flush();
  if (entries.length > 0) out.push({ kind: 'copy', entries });
  owner.pushesAt = instant(Infinity);
  for (const life of [...owner.touched]) {
    const pushAt = later(life.grantedAt, owner.timing.pushMs);
    if (life.owed === undefined && now < pushAt) owner.pushesAt = instant(Math.min(owner.pushesAt, pushAt));
    else if (answer(owner, life, now, out)) owner.touched.delete(life);
  }
}

const copyIfNeeded = (owner: OwnerState, holding: Holding): void => {
  if (holding.held > holding.copied && !(holding.copySeq > 0 && holding.copySent >= holding.held))
    owner.copies.holding(holding);
};

/** True when nothing is owed any more. */
function answer(owner: OwnerState, life: Life, now: Instant, out: OwnerEffect[]): boolean {
  const { rules, timing } = owner;
  const kept = (holding: Holding): number =>
    rules.copiesIncreases ? Math.min(holding.held, holding.copied) : holding.held;
  const { owed } = life;
  if (owed?.kind === 'renewed') {
    if (life.mustCopyAll && [...life.holdings.values()].some((holding) => kept(holding) < holding.reported))
      return false;
    const isAllKept = [...life.raised].every((holding) => kept(holding) >= holding.held);
    if (!isAllKept && now - owed.since < timing.copyPatienceMs) return false;
  } else if (owed === undefined && (!life.isKnown || life.standing !== 'leased')) return true;
  const mayRaise = life.standing === 'leased' && life.isKnown;
  const caps: LeafCap[] = [];
  const named = new Set<Holding>();
  let isWhole = true;
  for (const holding of mayRaise ? life.raised : []) {
    const cap = kept(holding);
    if (cap < holding.held) isWhole = false;
    if (cap <= holding.sentCap) continue;
    holding.sentCap = cap;
    caps.push(capOf(owner, holding, now));
    named.add(holding);
  }
  if (owed?.kind === 'renewed' && owner.phase === 'dealing') {
    // Who may have budgets of a former owner is told of all.
    const told = life.areBudgetsKnown ? life.cpuTold : life.holdings.values();
    for (const holding of told) {
      if (named.has(holding)) continue;
      const cap = capOf(owner, holding, now);
      if (cap.cpuBudgetMs !== undefined) caps.push(cap);
    }
    life.cpuTold.clear();
    life.areBudgetsTold = true;
  }
  const wishes = mayRaise ? newWishes(life) : [];
  if (owed === undefined && caps.length + wishes.length === 0) return isWhole;
  life.owed = undefined;
  life.grantedAt = now;
  life.mustCopyAll = false;
  const number = ++life.grantNumber;
  const ttlMs = owed?.kind === 'renewed' ? timing.ttlMs : 0;
  const grant = {
    kind: owed?.kind ?? 'pushed',
    epoch: owner.epoch,
    number,
    ackSeq: life.seq,
    ttlMs,
    caps,
    wishes,
    hints: life.isKnown ? newHints(life, now) : [],
  } as const;
  out.push({ kind: 'grant', to: life.id, grant });
  return isWhole;
}

function capOf(owner: OwnerState, holding: Holding, now: Instant): LeafCap {
  const cpuBudgetMs = vend(holding, owner.mayTake(holding.life), now);
  const cap = { group: holding.leaf.path, cap: holding.sentCap };
  return cpuBudgetMs === undefined ? cap : { ...cap, cpuBudgetMs: Math.floor(cpuBudgetMs) };
}

function newWishes(life: Life): Grant['wishes'] {
  const wishes: (Wish & { readonly group: string })[] = [];
  for (const holding of life.wished) {
    const { wish, toldWish, leaf } = holding;
    if (!isSameWish(wish, toldWish)) wishes.push({ group: leaf.path, ...wish });
    holding.toldWish = wish;
    if (wish.mode === 'none') life.wished.delete(holding);
  }
  return wishes;
}
