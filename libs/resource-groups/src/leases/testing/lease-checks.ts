// What must hold in a world of leases, whatever happens, counted where it counts: at the workers.
//   A1. At every instant, for every group, at most its limit of queries run on workers. (After a limit fell: the former
//       one, for as long as what was dealt before may last.)
//   A2. A query starts only while it waits; every query that its coordinator did not take with it ends.
//   A3. While nothing is wrong, nobody waits where there is room.
//   O1. What a coordinator says that it holds was dealt to it, and the owner knows it.
//   L1. When an owner ends a lease because of time, its holder already knows that it is over, asleep or not.
import { lineageOf } from '../../group-path.js';
import type { FenceList } from '../lease-messages.js';
import type { TaskVerdict } from '../task-fences.js';
import type { LeaseWorld } from './lease-world.js';
import type { SimCoordinator } from './sim-coordinator.js';
import type { SimQuery } from './sim-query.js';
import type { SimManager } from './sim-manager.js';

export class Violation extends Error {}

const A3_PATIENCE_MS = 1_500;

export class LeaseChecks {
  messages = 0;
  /** Stories in which somebody lies. */
  expectedOverclaims = 0;
  starts = 0;
  requeued = 0;
  refusedTasks = 0;
  fencesSeen = 0;
  waitedMs: number[] = [];
  /** Slots used, by root group and time, for the use of capacity. */
  readonly running = new Map<string, Map<string, number>>();
  private readonly fencedUpTo = new Map<string, string>();
  private readonly hungrySince = new Map<string, number>();

  constructor(private readonly world: LeaseWorld) {}

  taskBegan(queryId: string, leaf: string): void {
    for (const group of lineageOf(leaf)) {
      const ids = this.running.get(group) ?? new Map<string, number>();
      this.running.set(group, ids);
      ids.set(queryId, (ids.get(queryId) ?? 0) + 1);
      const limit = this.world.limitOf(group);
      if (ids.size > limit) this.fail(`A1: ${ids.size} queries run in ${group}, of which the limit is ${limit}`);
    }
  }

  taskEnded(queryId: string, leaf: string): void {
    for (const group of lineageOf(leaf)) {
      const ids = this.running.get(group);
      const left = (ids?.get(queryId) ?? 1) - 1;
      if (left > 0) ids?.set(queryId, left);
      else ids?.delete(queryId);
    }
  }

  started(at: SimCoordinator, query: SimQuery): void {
    if (query.state !== 'waiting') this.fail(`A2: ${query.id} starts while it is ${query.state}`);
    this.starts++;
    this.world.log(at, { kind: 'started', query });
    this.waitedMs.push(this.world.time.now - query.submittedAt);
  }

  judged(verdict: TaskVerdict): void {
    if (verdict !== 'accepted') this.refusedTasks++;
  }

  ownerStepped(manager: SimManager): void {
    if (manager.owner.counters.overclaims > this.expectedOverclaims)
      this.fail('O1: a coordinator holds what is not booked for it');
    if (manager.owner.phase === 'idle' || this.world.isOwner(manager)) return;
    this.fail(`${manager.name} deals though it does not own the groups`);
  }

  /** L1 */
  fencesTold({ epoch, epochFloor, fences }: FenceList): void {
    for (const { coordinatorId, incarnation, seq, epoch: upTo } of fences) {
      const name = `${incarnation}/${upTo}/${seq}`;
      if (this.fencedUpTo.get(coordinatorId) === name) continue;
      this.fencedUpTo.set(coordinatorId, name);
      this.fencesSeen++;
      const { holder, isAlive, incarnation: present, now } = this.world.living(coordinatorId);
      if (!isAlive || present !== incarnation || !holder.isValid(now)) continue;
      const stamp = holder.taskStamp();
      if (stamp.epoch < upTo || (stamp.epoch === upTo && stamp.seq <= seq))
        this.fail(`L1: the lease of ${coordinatorId} is ended in epoch ${epoch} while it relies on it`);
    }
    for (const { holder, isAlive, now, name } of this.world.everybody()) {
      if (isAlive && holder.isValid(now) && holder.taskStamp().epoch < epochFloor && this.world.learnedByTime)
        this.fail(`L1: ${name} relies on a lease of an epoch below ${epochFloor}`);
    }
  }

  /** A3, to be called now and then while nothing is wrong. */
  checkHunger(): void {
    const hungry = new Set<string>();
    const at = this.world.time.now;
    for (const { waiting } of this.world.everybody())
      for (const [leaf, since] of waiting) {
        const hasRoom = [...lineageOf(leaf)].every((group) => this.countOf(group) < this.world.presentLimitOf(group));
        if (hasRoom && at - since > A3_PATIENCE_MS) hungry.add(leaf);
      }
    for (const leaf of this.hungrySince.keys()) if (!hungry.has(leaf)) this.hungrySince.delete(leaf);
    for (const leaf of hungry) {
      const since = this.hungrySince.get(leaf) ?? at;
      this.hungrySince.set(leaf, since);
      if (at - since > A3_PATIENCE_MS) this.fail(`A3: somebody waits in ${leaf}, where there is room`);
    }
  }

  countOf(group: string): number {
    return this.running.get(group)?.size ?? 0;
  }

  fail(message: string): never {
    throw new Violation(`${message} (seed ${this.world.seed}, ${(this.world.time.now / 1_000).toFixed(3)}s)`);
  }
}
