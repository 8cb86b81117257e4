// How the owner reads a demand.
//   D1. Of a life only newer demands count, and only those for this epoch: an old one would say less than is held now. A
//       change counts only on top of the demand before it.
//   D2. When a demand is read, what its life holds is exactly what it says: no grant counts for it that was made before
//       (H2). So whatever was dealt since the last one is taken back, and may be dealt again.
//   D3. Who says that it holds more than it was dealt gets nothing: what it says that runs is booked, and it must come
//       again with nothing but that.
//   D4. Who was fenced must lower to what runs before anything else. A lease that was over, by whatever reason, begins
//       anew only when there is room for all that runs: what it held may have been dealt to others (A1).
import type { Instant } from '@tutti/base';
import type { Holding } from './holding.js';
import { type Demand, isWishing, type LeafDemand, NO_WISH } from './lease-messages.js';
import { takeCpu } from './deal-cpu.js';
import { expiryMs, later } from './lease-timing.js';
import type { Life } from './life.js';
import { hasUnleased, replaceFormerLives, weighEvidence } from './owner-fences.js';
import type { OwnerEffect } from './owner-events.js';
import type { OwnerState } from './owner-state.js';

/** Returns the life when something may be dealt to it. */
export function readDemand(owner: OwnerState, demand: Demand, now: Instant, out: OwnerEffect[]): Life | undefined {
  const { coordinatorId, incarnation, seq, epochSeen, isLapsed, stamp } = demand;
  if (owner.phase === 'idle') return undefined;
  if (epochSeen > owner.epoch) {
    out.push({ kind: 'epochSeen', epoch: epochSeen });
    return undefined;
  }
  if (demand.ownerEpoch !== owner.epoch) return undefined; // D1
  const newest = owner.newest.get(coordinatorId);
  if (owner.isReplaced(demand)) return undefined;
  const life = owner.lifeOf(demand, now);
  if (life !== newest) replaceFormerLives(owner, coordinatorId, incarnation, now);
  if (seq <= life.seq) return undefined; // D1
  const isBased = demand.baseSeq === undefined || (life.isKnown && demand.baseSeq === life.seq);
  // Then the holdings that it does not name stay as they are (O5).
  const goesOn = life.isKnown && life.standing === 'leased' && life.areBudgetsKnown && !isLapsed && !life.isSilent;
  life.isSilent = false;
  life.pushedAt = undefined;
  life.seq = seq;
  life.expiresAt = later(now, expiryMs(owner.timing));
  life.isKnown = false;
  if (!isLapsed && owner.fences.covers({ coordinatorId, incarnation, ...stamp }))
    return refuse(owner, life, 'lapsed', now);
  if (!isBased) return refuse(owner, life, 'resend', now);
  if (!isLapsed && owner.hasLearned && overclaims(life, demand)) {
    owner.counters.overclaims++;
    for (const leaf of demand.leaves) bookRunning(owner, life, leaf);
    return refuse(owner, life, 'lapsed', now); // D3
  }
  life.isKnown = goesOn;
  read(owner, life, demand, now);
  life.isKnown = life.hasTold = true;
  if (hasUnleased(owner, life.id)) weighEvidence(owner, now);
  const mayLease = !isLapsed || fits(owner, life);
  life.standing = mayLease ? 'leased' : 'void';
  life.mustCopyAll = mayLease && isLapsed;
  if (!goesOn) owner.settleAll(life);
  owner.owe(life, mayLease ? 'renewed' : 'refused', now);
  return life;
}

function refuse(owner: OwnerState, life: Life, kind: 'lapsed' | 'resend', now: Instant): undefined {
  owner.owe(life, kind, now);
  return undefined;
}

const overclaims = (life: Life, { leaves }: Demand): boolean =>
  leaves.some(({ group, held, running }) => Math.max(held, running) > (life.holdings.get(group)?.held ?? 0));

function bookRunning(owner: OwnerState, life: Life, { group, template, running }: LeafDemand): void {
  if (running <= (life.holdings.get(group)?.held ?? 0)) return;
  const holding = owner.holdingOf(life, group, template);
  holding.held = holding.running = running;
  owner.settle(holding);
}

/** D2 */
function read(owner: OwnerState, life: Life, demand: Demand, now: Instant): void {
  const changed = new Map<Holding, LeafDemand | undefined>();
  const isFull = demand.baseSeq === undefined;
  for (const holding of isFull ? life.holdings.values() : life.raised) changed.set(holding, undefined);
  for (const leaf of demand.leaves) changed.set(owner.holdingOf(life, leaf.group, leaf.template), leaf);
  life.raised.clear();
  life.cpuTold.clear();
  // What follows an answer was sent after it came.
  if (demand.isLapsed || (life.areBudgetsTold && !isFull)) life.areBudgetsKnown = true;
  life.areBudgetsTold = false;
  for (const [holding, leaf] of changed) {
    holding.pushed = 0;
    if (leaf !== undefined || isFull) {
      take(holding, leaf ?? NOTHING, demand.isLapsed, now);
      const cameMs = takeCpu(holding, leaf?.cpuMs, demand.isLapsed);
      if (cameMs > 0) owner.cpuCame.push({ leaf: holding.leaf, cameMs });
      if (leaf?.cpuMs !== undefined) life.cpuTold.add(holding);
    } else holding.held = holding.reported;
    holding.sentCap = holding.held;
    if (isFull || !isWishing(holding.toldWish, holding.held)) holding.wish = holding.toldWish = NO_WISH;
  }
  owner.readNow = [...changed.keys()];
  life.isShownByWorkers = false;
  if (life.fence !== undefined) life.fence.settledAt = now;
  life.fence = undefined;
  for (const [holding] of changed) {
    if (holding.copied > holding.held) owner.loose.set(holding, now);
    if (isUnused(holding) && holding.copied === 0 && holding.copySeq === 0) owner.dropHolding(holding);
    else owner.settle(holding);
  }
}

const NOTHING = { running: 0, held: 0, waiting: 0, slack: 0, oldest: [] };

function take(holding: Holding, leaf: Omit<LeafDemand, 'group' | 'template'>, isLapsed: boolean, now: Instant): void {
  holding.running = leaf.running;
  holding.held = holding.reported = isLapsed ? leaf.running : Math.max(leaf.held, leaf.running);
  holding.waiting = leaf.waiting;
  holding.slack = leaf.slack;
  holding.oldest = leaf.oldest.map(({ ageMs, priority }) => ({ since: now - ageMs, priority }));
}

export const isUnused = ({ held, running, waiting, slack }: Holding): boolean => held + running + waiting + slack === 0;

/** D4. While it learns an owner cannot know. */
function fits({ hasLearned }: OwnerState, life: Life): boolean {
  for (const { held, leaf } of life.holdings.values()) {
    if (held === 0) continue;
    if (!hasLearned) return false;
    for (const { known, booked } of leaf.lineage)
      if (known !== undefined && booked > known.hardConcurrencyLimit) return false;
  }
  return true;
}
