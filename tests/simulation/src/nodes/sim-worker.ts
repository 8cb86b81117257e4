// A worker: real task fences, and tasks that take their time.
//   W1. A task is judged once per attempt, however often it is asked for.
//   W2. An attempt that was canceled before it came never begins.
//   W3. Tasks of a coordinator that was not heard for ORPHAN_MS are canceled, and those of one whose connection is reset.
import { type LeasedTask, TaskFences, type FenceList, type TaskVerdict } from '@tutti/resource-groups';
import { SimProcess } from '../kernel/sim-process.js';
import type { SimQuery } from '../world/sim-query.js';
import type { SimWorld } from '../world/sim-world.js';
import type { SimCoordinator, Stamp } from './sim-coordinator.js';

/** A task, as its coordinator asks for it. */
export interface TaskCreate {
  /** Names one attempt. */
  readonly attempt: string;
  readonly query: SimQuery;
  readonly durationMs: number;
  readonly stamp: Stamp | undefined;
  readonly coordinatorId: string;
  readonly incarnation: number;
}

export type Judgement = TaskVerdict | 'ended' | 'canceled';

const REPORT_MS = 1_000;
const REPORT_SOON_MS = 20;
export const ORPHAN_MS = 10_000;
const SWEEP_MS = 500;

interface RunningTask {
  readonly create: TaskCreate;
  readonly leased: LeasedTask;
  readonly from: SimCoordinator;
  readonly fromLife: number;
}

export class SimWorker extends SimProcess {
  private fences = new Map<number, TaskFences>();
  private readonly tasks = new Map<string, RunningTask>();
  private readonly judged = new Map<string, Judgement>();
  private readonly heardAt = new Map<string, number>();
  private sequence = 0;
  private isReportPending = false;
  isDraining = false;

  constructor(
    private readonly world: SimWorld,
    name: string,
    index: number,
  ) {
    super(world, name, index);
  }

  get isIdle(): boolean {
    return this.tasks.size === 0;
  }

  create(create: TaskCreate, from: SimCoordinator): void {
    this.hear(from);
    const { attempt } = create;
    let judgement = this.judged.get(attempt); // W1, W2
    if (judgement === undefined) {
      judgement = this.isDraining ? 'notEnrolled' : this.judge(create);
      this.judged.set(attempt, judgement);
      if (judgement === 'accepted') this.begin(create, from);
      else this.world.trace?.note(this, `refuses ${attempt}: ${judgement}`);
    }
    const answer = judgement;
    this.world.network.send(this, from, () => from.taskJudged(attempt, answer));
  }

  cancel(attempt: string, from: SimCoordinator): void {
    this.hear(from);
    if (this.tasks.has(attempt)) this.end(attempt, 'canceled');
    if (!this.judged.has(attempt)) this.judged.set(attempt, 'canceled');
    this.tellEnded(attempt, from);
  }

  /** A coordinator says that it is there, and asks after its tasks. */
  poke(from: SimCoordinator, attempts: readonly string[]): void {
    this.hear(from);
    for (const attempt of attempts) if (!this.tasks.has(attempt)) this.tellEnded(attempt, from);
  }

  /** The connection of a life of a coordinator was reset. */
  readerLeft(from: SimCoordinator, life: number): void {
    for (const [attempt, task] of [...this.tasks])
      if (task.from === from && task.fromLife === life) this.end(attempt, 'canceled');
  }

  takeFences(shard: number, list: FenceList): void {
    const fences = this.fencesOf(shard);
    const { epoch, version } = fences.kept;
    fences.hear(list);
    if (fences.kept.epoch !== epoch || fences.kept.version !== version) this.reportSoon();
  }

  leave(): void {
    for (const manager of this.world.resourceManagers)
      this.world.network.send(this, manager, () => manager.left(this.name, this.incarnation));
  }

  protected began(): void {
    this.fences = new Map();
    this.judged.clear();
    this.heardAt.clear();
    this.sequence = 0;
    this.isReportPending = false;
    this.isDraining = false;
    this.report();
    this.every(REPORT_MS, 0.1, () => this.report());
    this.every(SWEEP_MS, 0, () => this.endOrphans());
  }

  protected ended(): void {
    for (const attempt of [...this.tasks.keys()]) this.forget(attempt);
  }

  protected wake(): void {}

  protected overslept(): void {}

  private judge({ stamp, query }: TaskCreate): TaskVerdict {
    const root = query.leaf.root.path;
    return this.fencesOf(this.world.shardOf(root)).judge(stamp?.stamp, root);
  }

  private fencesOf(shard: number): TaskFences {
    let fences = this.fences.get(shard);
    if (fences === undefined) this.fences.set(shard, (fences = new TaskFences()));
    return fences;
  }

  private begin(create: TaskCreate, from: SimCoordinator): void {
    const { attempt, query, durationMs, stamp, coordinatorId } = create;
    const incarnation = stamp === undefined ? 0 : create.incarnation;
    const leased = { coordinatorId, incarnation, group: query.leaf.path, queryId: query.id };
    this.tasks.set(attempt, { create, leased, from, fromLife: from.life });
    this.world.checks.taskBegan(query);
    this.world.trace?.note(
      this,
      `runs ${attempt} in ${query.leaf.path} (${query.leaf.root.running} of ${query.leaf.root.limit})`,
    );
    this.reportSoon();
    if (query.plan.memoryBytes + query.plan.cpuMs > 0)
      for (const part of [0.1 * this.world.random(), 0.5])
        this.after(durationMs * part, () => {
          if (!this.tasks.has(attempt)) return;
          const { memoryBytes, cpuMs } = query.plan;
          this.world.network.send(this, from, () => from.taskUses(query, memoryBytes, cpuMs * part));
        });
    this.after(durationMs, () => this.end(attempt, 'ended'));
  }

  private end(attempt: string, how: 'ended' | 'canceled'): void {
    const task = this.tasks.get(attempt);
    if (task === undefined) return;
    this.forget(attempt);
    this.world.trace?.note(this, `${how === 'ended' ? 'has done' : 'canceled'} ${attempt}`);
    this.judged.set(attempt, how);
    this.reportSoon();
    this.tellEnded(attempt, task.from);
  }

  private tellEnded(attempt: string, to: SimCoordinator): void {
    const isDone = this.judged.get(attempt) === 'ended';
    this.world.network.send(this, to, () => to.taskEnded(attempt, isDone));
  }

  private forget(attempt: string): void {
    const task = this.tasks.get(attempt);
    if (task === undefined) return;
    this.tasks.delete(attempt);
    this.world.checks.taskEnded(task.create.query);
  }

  private hear({ name, incarnation }: SimCoordinator): void {
    this.heardAt.set(`${name}/${incarnation}`, this.now());
  }

  /** W3 */
  private endOrphans(): void {
    for (const [attempt, { create }] of [...this.tasks]) {
      const heardAt = this.heardAt.get(`${create.coordinatorId}/${create.incarnation}`) ?? 0;
      if (this.now() - heardAt > ORPHAN_MS) this.end(attempt, 'canceled');
    }
  }

  private reportSoon(): void {
    if (this.isReportPending) return;
    this.isReportPending = true;
    this.after(REPORT_SOON_MS, () => this.report());
  }

  private report(): void {
    this.isReportPending = false;
    const { name: workerId, incarnation } = this;
    const kept = Array.from(this.fences, ([shard, fences]) => ({ shard, ...fences.kept })).filter(
      ({ epoch }) => epoch > 0,
    );
    const tasks = Array.from(this.tasks.values(), ({ leased }) => leased);
    const report = { workerId, incarnation, sequence: ++this.sequence, kept, tasks };
    for (const manager of this.world.resourceManagers)
      this.world.network.send(this, manager, () => manager.workerReport(this, report));
  }
}
