// What must hold in a world of desks, whatever happens.
//   A1. At every instant, for every group: what valid leases allow to run, and what runs on workers for everybody else, is at
//       most the limit. (After a limit fell, or a group became leased: only what runs, once that has come down.)
//   M2. The epochs of a shard's owners grow, and only one desk has an owner for a shard at a time that may still deal.
//   O1. What a coordinator says that it holds was dealt to it, and the owner knows it.
import { lineageOf } from '../../group-path.js';
import { type CoordinatorLife } from '../../usage-ledger.js';
import type { DeskNote } from '../desk-events.js';
import type { TaskVerdict } from '../task-fences.js';
import { Violation } from './lease-checks.js';
import type { DeskManager } from './desk-manager.js';
import type { DeskWorld } from './desk-world.js';

interface Running {
  readonly leaf: string;
  readonly life: CoordinatorLife;
  /** It was started without a lease. */
  readonly isUnasked: boolean;
}

export class DeskChecks {
  acquisitions = 0;
  readonly known = { firstStart: 0, handedOver: 0, copies: 0, nothing: 0 };
  begun = 0;
  readonly refused = { fenced: 0, notEnrolled: 0, leaseRequired: 0 };
  overclaims = 0;
  private readonly epochs = new Map<number, number>();
  private readonly running = new Map<string, Running>();

  constructor(private readonly world: DeskWorld) {}

  noted(manager: DeskManager, note: DeskNote): void {
    if (note.kind === 'overclaim') this.overclaims++;
    if (note.kind === 'overclaim' && !this.world.hasLiars)
      this.fail('O1: a coordinator holds what is not booked for it');
    if (note.kind !== 'acquired') return;
    const { shard, epoch, knows } = note;
    const former = this.epochs.get(shard) ?? 0;
    if (epoch <= former) this.fail(`M2: ${manager.name} owns shard ${shard} with epoch ${epoch} after ${former}`);
    this.epochs.set(shard, epoch);
    this.acquisitions++;
    this.known[knows]++;
  }

  judged(verdict: TaskVerdict): void {
    if (verdict === 'accepted') this.begun++;
    else this.refused[verdict]++;
  }

  taskBegan(queryId: string, leaf: string, life: CoordinatorLife, isUnasked: boolean): void {
    this.running.set(queryId, { leaf, life, isUnasked });
    this.afterStep();
  }

  taskEnded(queryId: string): void {
    this.running.delete(queryId);
  }

  countOf(group: string): number {
    return [...this.running.values()].filter(({ leaf }) => isBelow(leaf, group)).length;
  }

  /** A1 */
  afterStep(): void {
    for (const [group, limit] of this.world.limits()) {
      const { allowed, runs } = this.useOf(group);
      if (runs > limit) this.fail(`A1: ${runs} queries run in ${group}, of which the limit is ${limit}`);
      if (allowed > limit) this.fail(`A1: ${allowed} queries may run in ${group}, of which the limit is ${limit}`);
    }
  }

  fail(message: string): never {
    throw new Violation(`${message} (seed ${this.world.seed}, ${(this.world.time.now / 1_000).toFixed(3)}s)`);
  }

  private useOf(group: string): { readonly allowed: number; readonly runs: number } {
    const leased = new Set<string>();
    let allowed = 0;
    for (const coordinator of this.world.coordinators) {
      if (!coordinator.isAlive) continue;
      for (const leaf of coordinator.leaves.keys()) {
        if (!isBelow(leaf, group)) continue;
        const holding = coordinator.holdingOf(leaf);
        if (holding === undefined) continue;
        allowed += holding;
        leased.add(`${coordinator.name}/${coordinator.incarnation}/${leaf}`);
      }
    }
    let runs = 0;
    for (const { leaf, life, isUnasked } of this.running.values()) {
      if (!isBelow(leaf, group)) continue;
      runs++;
      if (isUnasked || !leased.has(`${life.coordinatorId}/${life.incarnation}/${leaf}`)) allowed++;
    }
    return { allowed, runs };
  }
}

const lines = new Map<string, ReadonlySet<string>>();

function isBelow(leaf: string, group: string): boolean {
  let line = lines.get(leaf);
  if (line === undefined) lines.set(leaf, (line = new Set(lineageOf(leaf))));
  return line.has(group);
}
