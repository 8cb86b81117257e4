import { randomInt } from '@tutti/base';
import type { TaskStamp } from '../lease-messages.js';
import { compareStamps, NO_STAMP } from '../lease-messages.js';
import type { HolderEffect, HolderEvent } from '../holder-events.js';
import { LeaseHolder } from '../lease-holder.js';
import type { TaskVerdict } from '../task-fences.js';
import type { SimManager } from './sim-manager.js';
import { SimProcess } from './sim-process.js';
import type { SimQuery, SimTask } from './sim-query.js';

const RETRY_MS = 200;
const POKE_MS = 300;

/** A coordinator: the real holder, and a simple scheduler of queries in stages of one or two tasks. */
export class SimCoordinator extends SimProcess {
  holder = this.newHolder();
  readonly queries = new Map<string, SimQuery>();
  private readonly waiting = new Map<string, SimQuery[]>();
  private readonly running = new Map<string, number>();
  private readonly arrived = new Map<string, number>();
  private readonly tasks = new Map<string, SimTask>();
  private owner: { readonly manager: SimManager; readonly epoch: number } | undefined;
  private ticking = 0;
  private lastAttempt = 0;

  waitingIn(group: string): number {
    return this.waiting.get(group)?.length ?? 0;
  }

  groups(): { readonly group: string; readonly running: number; readonly waiting: number }[] {
    return Array.from(this.arrived.keys(), (group) => ({
      ...{ group, running: this.running.get(group) ?? 0, waiting: this.waitingIn(group) },
    }));
  }

  /** The groups in which somebody waits, with the moment since when. */
  waitingSince(): Map<string, number> {
    const since = new Map<string, number>();
    for (const [group, [first]] of this.waiting) if (first !== undefined) since.set(group, first.submittedAt);
    return since;
  }

  submit(group: string, stages: number[][], priority = 1): void {
    const id = `${this.name}.${this.incarnation}.${this.world.nextNumber()}`;
    const [since, submittedAt] = [this.now(), this.world.time.now];
    const query: SimQuery = { id, group, priority, since, submittedAt, state: 'waiting', stages, tasks: new Map() };
    this.queries.set(id, query);
    this.arrived.set(group, (this.arrived.get(group) ?? 0) + 1);
    this.enqueue(query);
    this.startWhatMay(group);
    if (query.state === 'waiting') this.tell(group);
  }

  apply(event: HolderEvent): void {
    const { holder } = this;
    for (const effect of holder.apply(event, this.now())) this.perform(effect);
    const wakeAt = holder.wakeAt();
    const tick = ++this.ticking;
    if (wakeAt === Infinity) return;
    this.after(Math.max(0, wakeAt - this.now()) + 0.01, () => {
      if (tick === this.ticking) this.apply({ kind: 'tick' });
    });
  }

  /** A resource manager says that it owns the groups. */
  hearOwner(manager: SimManager, epoch: number): void {
    if (this.owner !== undefined && this.owner.epoch >= epoch) return;
    if (this.owner !== undefined) this.apply({ kind: 'streamLost' });
    this.owner = { manager, epoch };
    this.apply({ kind: 'streamOpened', epoch });
  }

  taskJudged(attempt: string, verdict: TaskVerdict | 'ended', stamp: TaskStamp): void {
    const task = this.tasks.get(attempt);
    if (task === undefined || task.state !== 'sent') return;
    if (verdict === 'accepted') task.state = 'accepted';
    else if (verdict === 'ended') this.taskEnded(attempt);
    else {
      task.state = 'refused';
      this.after(RETRY_MS, () => this.tryAgain(task, stamp));
    }
  }

  taskEnded(attempt: string): void {
    const task = this.tasks.get(attempt);
    if (task === undefined || task.state === 'ended' || task.state === 'unsent' || task.state === 'refused') return;
    this.endTask(task);
  }

  protected began(): void {
    this.holder = this.newHolder();
    this.owner = undefined;
    this.every(POKE_MS, () => this.poke());
  }

  protected ended(): void {
    for (const map of [this.queries, this.waiting, this.running, this.arrived, this.tasks]) map.clear();
  }

  private newHolder(): LeaseHolder {
    const { timing, rules, random } = this.world;
    return new LeaseHolder({
      life: { coordinatorId: this.name, incarnation: this.incarnation },
      random,
      timing,
      rules,
    });
  }

  private perform(effect: HolderEffect): void {
    this.world.log(this, effect);
    switch (effect.kind) {
      case 'send': {
        this.world.checks.messages++;
        const { demand } = effect;
        if (this.owner !== undefined) this.send(this.owner.manager, (to) => to.apply({ kind: 'demand', demand }));
        return;
      }
      case 'startable':
        for (const group of effect.groups) this.startWhatMay(group);
        return;
      case 'lapsed':
        for (const query of [...this.queries.values()]) this.requeueIfNowhere(query);
    }
  }

  private startWhatMay(group: string): void {
    const queue = this.waiting.get(group) ?? [];
    for (let first; (first = queue[0]) !== undefined && this.holder.mayStart(group, this.now());) {
      queue.shift();
      this.world.checks.started(this, first);
      first.state = 'running';
      this.running.set(group, (this.running.get(group) ?? 0) + 1);
      this.tell(group);
      this.place(first);
    }
  }

  private enqueue(query: SimQuery): void {
    const queue = this.waiting.get(query.group) ?? [];
    this.waiting.set(query.group, queue);
    const byPriority = this.world.goesByPriority(query.group);
    const place = byPriority ? queue.findIndex(({ priority }) => priority < query.priority) : -1;
    queue.splice(place < 0 ? queue.length : place, 0, query);
  }

  private tell(group: string): void {
    const queue = this.waiting.get(group) ?? [];
    const oldest = queue.slice(0, 8).map(({ since, priority }) => ({ since: since as never, priority }));
    const counts = { running: this.running.get(group) ?? 0, waiting: queue.length, oldest };
    const leaf = { group, template: group, ...counts, arrived: this.arrived.get(group) ?? 0 };
    this.apply({ kind: 'wants', leaves: [leaf] });
  }

  private place(query: SimQuery): void {
    for (const durationMs of query.stages[0] ?? []) this.newTask(query, durationMs);
    query.stages = query.stages.slice(1);
  }

  /** Some time goes by between the decision and the sending. */
  private newTask(query: SimQuery, durationMs: number): void {
    const { workers } = this.world;
    const living = workers.filter(({ isAlive }) => isAlive);
    // When none is there it is sent to one that is gone, and ends with it.
    const among = living.length > 0 ? living : workers;
    const worker = among[randomInt(this.random, among.length)];
    if (worker === undefined) return;
    const attempt = `${query.id}#${++this.lastAttempt}`;
    const { name, incarnation } = worker;
    const where = { worker: name, workerIncarnation: incarnation };
    const task: SimTask = { query, attempt, ...where, durationMs, state: 'unsent', stamp: undefined };
    query.tasks.set(attempt, task);
    this.tasks.set(attempt, task);
    this.after(this.world.placeMs * this.random(), () => this.sendTask(task));
  }

  private sendTask(task: SimTask): void {
    const { query, attempt, durationMs, workerIncarnation } = task;
    if (!this.tasks.has(attempt) || (task.state !== 'unsent' && task.state !== 'sent')) return;
    task.state = 'sent';
    const stamp = (task.stamp ??= this.holder.taskStamp());
    const create = { attempt, queryId: query.id, group: query.group, stamp, workerIncarnation, durationMs };
    this.send(this.world.worker(task.worker), (to) => to.create(create, this));
    this.after(RETRY_MS, () => this.sendTask(task));
  }

  /** A task was refused: another attempt under a newer lease, or none when the query is nowhere and the lease is over. */
  private tryAgain(task: SimTask, refused: TaskStamp): void {
    const { query } = task;
    if (!this.tasks.has(task.attempt) || query.state !== 'running') return;
    if (!this.holder.isValid(this.now()) && this.requeueIfNowhere(query)) return;
    const isNewer = compareStamps(this.holder.taskStamp(), refused) > 0 || refused.epoch === NO_STAMP.epoch;
    if (!isNewer && this.random() < 0.7) return this.after(RETRY_MS, () => this.tryAgain(task, refused));
    this.forgetTask(task);
    this.newTask(query, task.durationMs);
  }

  /** Whether it waits again: nothing of it is on a worker, or on its way. */
  private requeueIfNowhere(query: SimQuery): boolean {
    if (query.state !== 'running') return false;
    const tasks = [...query.tasks.values()];
    if (tasks.some(({ state }) => state === 'sent' || state === 'accepted')) return false;
    const left = tasks.map(({ durationMs }) => durationMs);
    for (const task of tasks) this.forgetTask(task);
    if (left.length > 0) query.stages = [left, ...query.stages];
    query.state = 'waiting';
    this.running.set(query.group, (this.running.get(query.group) ?? 0) - 1);
    this.enqueue(query);
    this.world.checks.requeued++;
    this.tell(query.group);
    return true;
  }

  private forgetTask({ query, attempt }: SimTask): void {
    query.tasks.delete(attempt);
    this.tasks.delete(attempt);
  }

  private endTask(task: SimTask): void {
    const { query } = task;
    task.state = 'ended';
    this.forgetTask(task);
    if (query.tasks.size > 0) return;
    if (query.stages.length > 0) return this.place(query);
    query.state = 'done';
    this.queries.delete(query.id);
    this.running.set(query.group, (this.running.get(query.group) ?? 0) - 1);
    this.tell(query.group);
    this.startWhatMay(query.group);
  }

  private poke(): void {
    for (const worker of this.world.workers) {
      if (!worker.isAlive) continue;
      const here = [...this.tasks.values()].filter((task) => task.worker === worker.name);
      // Tasks end with the process that runs them.
      for (const task of here) {
        if (task.workerIncarnation >= worker.incarnation) continue;
        if (task.state === 'sent' || task.state === 'accepted') this.endTask(task);
      }
      const attempts = here.filter(({ state }) => state === 'accepted').map(({ attempt }) => attempt);
      const [incarnation, workerIncarnation] = [this.incarnation, worker.incarnation];
      this.send(worker, (to) => to.poke(this, incarnation, attempts, workerIncarnation));
    }
  }
}
