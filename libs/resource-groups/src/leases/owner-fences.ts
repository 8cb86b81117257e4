// How what silent coordinators held becomes free: see E1 in worker-evidence.ts.
//   S1. A lease that is over by the owner's clock frees nothing by itself: what was held stays booked until workers have
//       shown what is left of it (A1). The same for the former life of a coordinator that was replaced.
//   S2. Queries on workers whose coordinator is not in the book are counted as workers report them.
//   S3. The same for tasks without a lease, of old coordinators and from before a group was leased; they have the incarnation
//       NO_LEASE. As many as their coordinator says that it runs in the group are counted by that.
import type { Instant } from '@tutti/base';
import { type OwnerFence, WHOLE_LIFE } from './fence-book.js';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { LeaseReport } from './lease-messages.js';
import { type Life, lifeKey } from './life.js';
import type { OwnerEffect } from './owner-events.js';
import type { OwnerState } from './owner-state.js';
import type { WorkerRecord } from './worker-evidence.js';

/** The incarnation of tasks that came without a lease. */
export const NO_LEASE = 0;

/** Ends the lease of a life for good, or up to what it was last answered. */
export function fence(owner: OwnerState, life: Life, extent: 'whole' | 'answered'): void {
  if ([...life.holdings.values()].every(({ held }) => held === 0) || !owner.rules.needsEvidence) {
    owner.dropLife(life);
    return;
  }
  owner.counters.fenced++;
  const upTo = extent === 'whole' ? WHOLE_LIFE : { epoch: owner.epoch, seq: life.seq };
  const raised = owner.fences.raise({ ...life.id, ...upTo });
  if (raised !== undefined && !raised.isCopied) owner.copies.fence(raised);
  setFenced(owner, life, raised);
}

export function setFenced(owner: OwnerState, life: Life, by: OwnerFence | undefined): void {
  life.standing = 'fenced';
  life.fence = by;
  life.isKnown = false;
  life.owed = undefined;
  owner.settleAll(life);
}

/** A coordinator has a new life: the former ones have ended. */
export function replaceFormerLives(owner: OwnerState, coordinatorId: string, incarnation: number, now: Instant): void {
  for (const life of [...owner.lives.values()]) {
    if (life.id.coordinatorId !== coordinatorId || life.id.incarnation >= incarnation) continue;
    if (life.id.incarnation === NO_LEASE) continue;
    if (life.fence?.stamp.epoch !== WHOLE_LIFE.epoch) fence(owner, life, 'whole');
  }
  weighEvidence(owner, now);
}

/** Has the name of a worker kept, so that it can be told the fences (E2). */
export function nameWorker(owner: OwnerState, workerId: string, incarnation: number): WorkerRecord {
  const worker = owner.evidence.expect(workerId, incarnation);
  if (!worker.isCopied && worker.copySeq === 0) owner.copies.worker(workerId, worker);
  return worker;
}

/** Takes in what a worker runs, and tells it the fences when it does not keep the newest. */
export function readReport(owner: OwnerState, report: LeaseReport, now: Instant, out: OwnerEffect[]): void {
  if (owner.phase === 'idle' || !owner.evidence.take(report, now)) return;
  const { workerId, incarnation } = report;
  const worker = nameWorker(owner, workerId, incarnation);
  if (owner.hasLearned) countStrays(owner, now);
  weighEvidence(owner, now);
  // While it learns it knows too few fences: workers keep those of its predecessor.
  if (!owner.hasLearned && owner.floor === undefined) return;
  const list = owner.fences.current();
  if (!worker.isCopied || (worker.kept.epoch === list.epoch && worker.kept.version === list.version)) return; // E2
  out.push({ kind: 'fences', workerId, incarnation, list });
}

/** Frees what workers have shown to be gone (S1). */
export function weighEvidence(owner: OwnerState, now: Instant): void {
  const fenced = [...owner.lives.values()].filter(({ standing }) => standing === 'fenced');
  if (fenced.length === 0) return;
  const byLife = owner.evidence.queriesOf((life) => owner.lives.get(lifeKey(life))?.standing === 'fenced');
  for (const life of fenced) {
    life.isShownByWorkers ||=
      life.fence !== undefined && life.fence.isCopied && owner.evidence.allKeep(life.fence.version);
    // Of who never told what it holds nothing more may be known than what workers report.
    const isUntold = life.fence !== undefined && life.fence === owner.floor;
    if (!life.isShownByWorkers && !isUntold) continue;
    const groups = byLife.get(life.key)?.groups;
    for (const group of groups?.keys() ?? []) owner.holdingOf(life, group);
    for (const [group, holding] of life.holdings) {
      holding.onWorkers = Math.max(0, (groups?.get(group)?.size ?? 0) - toldOf(owner, life, group));
      // More than was known of: the next owner must find it too.
      if (holding.onWorkers > holding.held) {
        holding.held = holding.onWorkers;
        owner.copies.holding(holding);
      }
      owner.settle(holding);
    }
    if (!life.isShownByWorkers) continue;
    if (groups !== undefined) continue;
    if (life.fence !== undefined) life.fence.settledAt = now;
    owner.dropLife(life);
  }
}

/** Whether tasks without a lease are counted for a coordinator. */
export const hasUnleased = ({ lives }: OwnerState, { coordinatorId }: CoordinatorLife): boolean =>
  lives.has(lifeKey({ coordinatorId, incarnation: NO_LEASE }));

/** How many of those that run without a lease their coordinator has told of (S3). */
function toldOf(owner: OwnerState, { id }: Life, group: string): number {
  const newest = id.incarnation === NO_LEASE ? owner.newest.get(id.coordinatorId) : undefined;
  if (newest === undefined || !newest.hasTold || newest.standing === 'fenced') return 0;
  return newest.holdings.get(group)?.running ?? 0;
}

/** S2 */
function countStrays(owner: OwnerState, now: Instant): void {
  const strays = owner.evidence.queriesOf((life) => !owner.lives.has(lifeKey(life)));
  for (const { life: id } of strays.values()) {
    const life = owner.lifeOf(id, now);
    life.isShownByWorkers = true;
    setFenced(owner, life, undefined);
  }
}
