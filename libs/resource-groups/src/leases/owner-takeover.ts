// How an owner begins: with what the seats kept, or by learning.
//   K1. Copies that miss nothing say of every coordinator at least what it holds (C1): the owner deals at once, around it.
//   K2. Otherwise nothing is dealt until every coordinator of the membership has told what it holds, or nothing of former
//       owners can be valid any more; and until every worker refuses what was dealt by them, so that what workers report
//       of all others is all there is (A1, A5).
import type { Instant } from '@tutti/base';
import { ledgerItem } from './copy-codec.js';
import { fence, nameWorker, replaceFormerLives, setFenced, weighEvidence } from './owner-fences.js';
import { later } from './lease-timing.js';
import type { LeadershipAcquired, Membership, OwnerEffect } from './owner-events.js';
import type { OwnerState } from './owner-state.js';
import { lifeKey } from './life.js';

export function acquire(owner: OwnerState, acquired: LeadershipAcquired, now: Instant): void {
  const { epoch, copies, mustLearnFully, learnMs } = acquired;
  const takesOver = owner.rules.takesOver;
  owner.begin(mustLearnFully && takesOver ? 'learning' : 'dealing', epoch);
  owner.learnEndsAt = later(now, learnMs);
  owner.tickedAt = owner.floorCheckedAt = now;
  for (const { key, payload } of takesOver ? copies : []) {
    const item = payload && ledgerItem(key, payload);
    if (item?.kind === 'holding') {
      const holding = owner.holdingOf(owner.lifeOf(item.life, now), item.group);
      holding.held = holding.reported = holding.copied = item.held;
      owner.settle(holding);
    } else if (item?.kind === 'worker') {
      const worker = owner.evidence.expect(item.workerId, item.incarnation);
      worker.isCopied = true;
      worker.lostAt = now;
    } else if (item?.kind === 'fence' && item.stamp.coordinatorId === '') owner.fences.raiseFloor(item.stamp.epoch);
    else if (item?.kind === 'fence') owner.fences.raise(item.stamp, true);
  }
  for (const { id } of [...owner.newest.values()]) replaceFormerLives(owner, id.coordinatorId, id.incarnation, now);
}

/** Takes in who belongs to the cluster. */
export function readMembership(owner: OwnerState, { coordinators, workers }: Membership, now: Instant): void {
  if (owner.phase === 'idle') return;
  owner.members = new Map(coordinators.map(({ coordinatorId, incarnation }) => [coordinatorId, incarnation]));
  owner.evidence.list(workers, now);
  for (const { workerId, incarnation } of workers) nameWorker(owner, workerId, incarnation);
  for (const { coordinatorId, incarnation } of coordinators) replaceFormerLives(owner, coordinatorId, incarnation, now);
  for (const life of owner.lives.values()) {
    const isMember = owner.members.has(life.id.coordinatorId);
    if (life.isMember === isMember) continue;
    life.isMember = isMember;
    owner.settleAll(life);
  }
  weighEvidence(owner, now);
}

/** Goes on with learning (K2), and says when the copies are complete. */
export function goOnLearning(owner: OwnerState, now: Instant, out: OwnerEffect[]): void {
  if (owner.phase === 'learning') {
    if (owner.floor === undefined && (hasHeardAll(owner) || now >= owner.learnEndsAt)) {
      owner.floor = owner.fences.raiseFloor();
      owner.copies.fence(owner.floor);
    }
    if (owner.floor?.isCopied === false && owner.copies.isSettled) owner.copies.fence(owner.floor);
    if (owner.floor?.isCopied && owner.evidence.allKeep(owner.floor.version, 'listed')) beginDealing(owner, now);
  }
  if (!owner.isUncopied || !owner.copies.isSettled) return;
  for (const { holdings } of owner.lives.values())
    for (const holding of holdings.values()) if (holding.held > holding.copied) owner.copies.holding(holding);
  owner.isUncopied = !owner.copies.isSettled;
  if (!owner.isUncopied) out.push({ kind: 'learned' });
}

function hasHeardAll({ members, newest }: OwnerState): boolean {
  if (members === undefined) return false;
  for (const [id, incarnation] of members) {
    const life = newest.get(id);
    if (life === undefined || !life.hasTold || life.id.incarnation < incarnation) return false;
  }
  return true;
}

function beginDealing(owner: OwnerState, now: Instant): void {
  owner.phase = 'dealing';
  owner.hasLearned = true;
  const strays = owner.evidence.queriesOf((life) => !owner.lives.has(lifeKey(life)));
  for (const { life } of strays.values()) owner.lifeOf(life, now);
  for (const life of [...owner.lives.values()]) {
    // What is known of it may not be all, and is all of older epochs.
    if (!life.hasTold) setFenced(owner, life, owner.floor);
    else owner.settleAll(life);
  }
  weighEvidence(owner, now);
  owner.isUncopied = true;
}

/** Ends the leases that are over by this process's clock. */
export function expireLeases(owner: OwnerState, now: Instant): void {
  for (const life of [...owner.lives.values()]) {
    if (life.standing !== 'fenced' && now >= life.expiresAt) fence(owner, life, 'answered');
  }
}
