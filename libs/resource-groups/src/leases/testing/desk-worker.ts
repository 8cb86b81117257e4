import type { CoordinatorLife } from '../../usage-ledger.js';
import type { DeskEffect } from '../desk-events.js';
import { lifeKey } from '../life.js';
import type { LeasedTask, TaskStamp } from '../lease-messages.js';
import { NO_LEASE } from '../owner-fences.js';
import { TaskFences } from '../task-fences.js';
import { shardOfGroup } from '../../seats/shard.js';
import type { DeskCoordinator } from './desk-coordinator.js';
import type { DeskWorld } from './desk-world.js';
import { SimProcess } from './sim-process.js';

type FencesEffect = Extract<DeskEffect, { kind: 'fences' }>;

export interface DeskTask {
  readonly life: CoordinatorLife;
  readonly queryId: string;
  readonly group: string;
  /** Undefined: of a coordinator that knows no leases. */
  readonly stamp: TaskStamp | undefined;
  readonly durationMs: number;
  readonly workerIncarnation: number;
}

const REPORT_MS = 300;
export const ORPHAN_MS = 2_000;

/** Runs one task for each query, refuses what is fenced, reports to all desks, and ends what silent coordinators left. */
export class DeskWorker extends SimProcess<DeskWorld> {
  readonly tasks = new Map<string, LeasedTask>();
  private readonly fences = new Map<number, TaskFences>();
  /** Tasks that came are judged once. */
  private readonly judged = new Set<string>();
  private readonly lifeOf = new Map<string, string>();
  private readonly heardAt = new Map<string, number>();
  private sequence = 0;

  protected began(): void {
    this.fences.clear();
    this.judged.clear();
    this.lifeOf.clear();
    this.heardAt.clear();
    this.sequence = 0;
    this.report();
    this.every(REPORT_MS, () => this.report());
    this.every(REPORT_MS, () => this.endOrphans());
  }

  protected ended(): void {
    for (const id of [...this.tasks.keys()]) this.remove(id);
  }

  create({ life, queryId, group, stamp, durationMs, workerIncarnation }: DeskTask, from: DeskCoordinator): void {
    if (workerIncarnation > this.incarnation) return;
    this.hear(life);
    const isMine = workerIncarnation === this.incarnation;
    if (!isMine || this.judged.has(queryId)) {
      if (!this.tasks.has(queryId)) this.send(from, (coordinator) => coordinator.taskEnded(queryId, 'ended'));
      return;
    }
    const fences = this.fences.get(shardOfGroup(group)) ?? new TaskFences();
    const verdict = fences.judge(stamp, group);
    this.world.checks.judged(verdict);
    if (verdict === 'notEnrolled') return; // It comes again.
    this.judged.add(queryId);
    if (verdict !== 'accepted') return this.send(from, (coordinator) => coordinator.taskEnded(queryId, verdict));
    const { coordinatorId } = life;
    this.tasks.set(queryId, { coordinatorId, incarnation: stamp?.incarnation ?? NO_LEASE, queryId, group });
    this.lifeOf.set(queryId, lifeKey(life));
    this.world.checks.taskBegan(queryId, group, life, stamp === undefined);
    this.after(durationMs, () => {
      this.remove(queryId);
      this.send(from, (coordinator) => coordinator.taskEnded(queryId, 'ended'));
    });
  }

  /** A coordinator says that it is there. */
  poke(life: CoordinatorLife): void {
    this.hear(life);
  }

  takeFences(lists: readonly FencesEffect[], incarnation: number): void {
    if (incarnation !== this.incarnation) return;
    for (const { shard, list } of lists) {
      const fences = this.fences.get(shard) ?? new TaskFences();
      this.fences.set(shard, fences);
      fences.hear(list);
    }
    this.report();
  }

  private report(): void {
    const { name: workerId, incarnation } = this;
    const kept = Array.from(this.fences, ([shard, fences]) => ({ shard, ...fences.kept }));
    const report = { workerId, incarnation, sequence: ++this.sequence, kept, tasks: [...this.tasks.values()] };
    for (const manager of this.world.managers) this.send(manager, (to) => to.hearWorker(report));
  }

  private hear(life: CoordinatorLife): void {
    this.heardAt.set(lifeKey(life), this.now());
  }

  private endOrphans(): void {
    for (const id of [...this.tasks.keys()])
      if (this.now() - (this.heardAt.get(this.lifeOf.get(id) ?? '') ?? 0) > ORPHAN_MS) this.remove(id);
  }

  private remove(id: string): void {
    const task = this.tasks.get(id);
    if (task === undefined) return;
    this.tasks.delete(id);
    this.world.checks.taskEnded(id);
  }
}
