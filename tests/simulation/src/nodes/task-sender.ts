// Sends the tasks of started queries to workers, and knows when they have ended.
//   S1. A task is sent with the newest stamp of its query's lease, and not while that is not valid; the tree is told before.
//   S2. A task without an answer is canceled, again and again until that is confirmed or its worker is gone; only then
//       another attempt is made.
//   S3. In mode gated a task is sent only in the stretch of contact in which its query was started.
import { type Random, randomInt } from '@tutti/base';
import { queryId as asQueryId } from '@tutti/base';
import type { SimQuery } from '../world/sim-query.js';
import type { SimWorld } from '../world/sim-world.js';
import { type SimCoordinator, type Stamp, USAGE_MAX_AGE_MS } from './sim-coordinator.js';
import { type Judgement, ORPHAN_MS, type SimWorker } from './sim-worker.js';

const ANSWER_MS = 1_000;
const POKE_MS = 1_000;
const RETRY_MS = 100;
const ATTEMPTS_MAX = 3;
/** How long after a worker was last spoken to its tasks are certainly canceled, when it cannot be asked. */
const SURELY_ORPHANED_MS = ORPHAN_MS * 1.1 + 1_000;

interface Placing {
  readonly query: SimQuery;
  /** Tasks that have not ended, sent or not. */
  tasksLeft: number;
  wasSent: boolean;
  isCanceled: boolean;
  lostAttempts: number;
  readonly stretch: number | undefined;
  /** Tasks that wait for a stamp or for a worker. */
  unsent: number;
}

interface Task {
  readonly placing: Placing;
  readonly attempt: string;
  readonly worker: SimWorker;
  readonly workerIncarnation: number;
  readonly workerLife: number;
  state: 'sent' | 'accepted' | 'canceling';
}

export class TaskSender {
  private readonly placings = new Map<SimQuery, Placing>();
  private readonly tasks = new Map<string, Task>();
  private readonly waiting = new Set<Placing>();
  private attempts = 0;
  private heardAt: number | undefined;
  private stretch = 0;
  /** Workers that no resource manager hears, and since when that is known. */
  private readonly goneSince = new Map<SimWorker, number>();

  constructor(
    private readonly world: SimWorld,
    private readonly owner: SimCoordinator,
  ) {}

  begin(): void {
    this.owner.every(POKE_MS, 0.2, () => this.poke());
  }

  /** Some time goes by between a start and its first task. */
  place(query: SimQuery): void {
    const { owner, world } = this;
    const placing: Placing = {
      ...{ query, tasksLeft: query.plan.tasks, unsent: query.plan.tasks },
      ...{ wasSent: false, isCanceled: false, lostAttempts: 0, stretch: this.stretchNow() },
    };
    this.placings.set(query, placing);
    const delayMs = world.placementMs();
    if (delayMs === 0) this.sendAll(placing);
    else owner.after(delayMs, () => this.sendAll(placing));
  }

  /** The query is queued again: nothing of it may be sent. */
  forget(query: SimQuery): void {
    const placing = this.placings.get(query);
    if (placing === undefined) return;
    this.placings.delete(query);
    this.waiting.delete(placing);
  }

  cancel(query: SimQuery): void {
    const placing = this.placings.get(query);
    if (placing === undefined) return;
    placing.isCanceled = true;
    this.waiting.delete(placing);
    placing.tasksLeft -= placing.unsent;
    placing.unsent = 0;
    for (const task of this.tasks.values()) if (task.placing === placing) this.cancelTask(task);
    this.endWhenDone(placing);
  }

  /** A lease may have come, or a worker may have. */
  tryWaiting(): void {
    for (const placing of [...this.waiting]) this.sendAll(placing);
  }

  judged(attempt: string, judgement: Judgement): void {
    const task = this.tasks.get(attempt);
    if (task === undefined || task.state !== 'sent') return;
    if (judgement === 'accepted') task.state = 'accepted';
    else if (judgement === 'ended' || judgement === 'canceled') this.ended(attempt, judgement === 'ended');
    else {
      // It did nothing: again, with the lease of that moment, perhaps elsewhere.
      this.tasks.delete(attempt);
      const { placing } = task;
      placing.unsent++;
      this.owner.after(RETRY_MS * (0.5 + this.world.random()), () => this.sendAll(placing));
    }
  }

  /** The task runs no more, or never will. It has done its work, or another attempt is due. */
  ended(attempt: string, isDone: boolean): void {
    const task = this.tasks.get(attempt);
    if (task === undefined) return;
    this.tasks.delete(attempt);
    const { placing } = task;
    if (!isDone && !placing.isCanceled) return this.again(placing);
    placing.tasksLeft--;
    this.endWhenDone(placing);
  }

  /** A resource manager heard the report of `sentAt`, and counts no longer on these lives of workers. */
  heardBy(sentAt: number, endedLives: ReadonlyMap<string, number>): void {
    if (this.heardAt === undefined || sentAt - this.heardAt > USAGE_MAX_AGE_MS) this.stretch++;
    this.heardAt = Math.max(this.heardAt ?? -Infinity, sentAt);
    for (const worker of this.world.workers) {
      if ((endedLives.get(worker.name) ?? 0) < worker.incarnation) this.goneSince.delete(worker);
      else if (!this.goneSince.has(worker)) this.goneSince.set(worker, this.owner.now());
    }
    for (const task of [...this.tasks.values()]) this.checkWorker(task, endedLives);
  }

  /** A life that is replaced is over. One that is only silent may still run what it was given, for a while. */
  private checkWorker(task: Task, endedLives: ReadonlyMap<string, number>): void {
    const { worker, workerIncarnation } = task;
    if ((endedLives.get(worker.name) ?? 0) < workerIncarnation) return;
    const goneSince = this.goneSince.get(worker);
    if (goneSince === undefined || this.owner.now() - goneSince > SURELY_ORPHANED_MS) this.gone(task);
    else if (task.state !== 'canceling') this.cancelTask(task);
  }

  private gone(task: Task): void {
    const { placing } = task;
    this.tasks.delete(task.attempt);
    this.world.trace?.note(this.owner, `gives up ${task.attempt}: ${task.worker.name} is gone`);
    if (!placing.isCanceled) return this.again(placing);
    placing.tasksLeft--;
    this.endWhenDone(placing);
  }

  private again(placing: Placing): void {
    if (++placing.lostAttempts > ATTEMPTS_MAX) {
      this.world.end(placing.query, 'lost');
      placing.unsent++;
      return this.cancel(placing.query);
    }
    placing.unsent++;
    this.sendAll(placing);
  }

  private sendAll(placing: Placing): void {
    const { query } = placing;
    if (this.placings.get(query) !== placing) return;
    while (placing.unsent > 0) {
      if (!this.sendOne(placing)) {
        if (placing.unsent > 0 && this.placings.get(query) === placing) this.waitFor(placing);
        return;
      }
    }
    this.waiting.delete(placing);
  }

  private waitFor(placing: Placing): void {
    if (this.waiting.has(placing)) return;
    this.waiting.add(placing);
    const tryAgain = (): void => {
      if (!this.waiting.has(placing)) return;
      this.sendAll(placing);
      this.owner.after(RETRY_MS, tryAgain);
    };
    this.owner.after(RETRY_MS, tryAgain);
  }

  /** S1, S3: false when it has to wait, or is over. */
  private sendOne(placing: Placing): boolean {
    const { owner, world } = this;
    const { query } = placing;
    const queryId = asQueryId(query.id);
    const stamp = owner.tree.taskStamp(queryId, owner.now());
    if (stamp === 'notNow') {
      // Nothing of it is on a worker: it may wait in its queue as well, and does when its lease is over.
      if (placing.wasSent && placing.unsent === placing.tasksLeft) owner.apply({ kind: 'nowhere', queryId });
      return false;
    }
    if (world.plan.mode === 'gated' && !this.holdsSlot(placing)) {
      this.loseSlot(placing);
      return false;
    }
    const worker = this.chooseWorker(world.random);
    if (worker === undefined) return false;
    if (!placing.wasSent) {
      owner.apply({ kind: 'sent', queryId });
      placing.wasSent = true;
      world.checks.sent(query);
    }
    placing.unsent--;
    this.send(placing, worker, stamp);
    return true;
  }

  private loseSlot({ query }: Placing): void {
    this.world.trace?.note(this.owner, `gives up ${query.name}: its slot may be taken`);
    this.world.end(query, 'lost');
    this.cancel(query);
  }

  private send(placing: Placing, worker: SimWorker, stamp: Stamp | undefined): void {
    const { owner, world } = this;
    const { query } = placing;
    const attempt = `${query.name}#${owner.name}.${owner.life}.${++this.attempts}`;
    const { incarnation: workerIncarnation, life: workerLife } = worker;
    const task: Task = { placing, attempt, worker, workerIncarnation, workerLife, state: 'sent' };
    this.tasks.set(attempt, task);
    const { durationMs } = query.plan;
    const create = { attempt, query, durationMs, stamp, coordinatorId: owner.name, incarnation: owner.incarnation };
    world.network.send(owner, worker, () => worker.create(create, owner));
    owner.after(ANSWER_MS, () => {
      if (task.state === 'sent' && this.tasks.get(attempt) === task) this.cancelTask(task); // S2
    });
  }

  private cancelTask(task: Task): void {
    task.state = 'canceling';
    const { owner, world } = this;
    const repeat = (): void => {
      if (this.tasks.get(task.attempt) !== task) return;
      // Whoever lives at its place now is another one, which knows nothing of it.
      if (task.worker.life === task.workerLife)
        world.network.send(owner, task.worker, () => task.worker.cancel(task.attempt, owner));
      owner.after(ANSWER_MS, repeat);
    };
    repeat();
  }

  private endWhenDone(placing: Placing): void {
    if (placing.tasksLeft > 0) return;
    const { query } = placing;
    this.placings.delete(query);
    if (!query.isOver) this.world.end(query, 'done');
    this.owner.finish(query);
  }

  /** Says to workers that it is there, and asks after its tasks: not to those that are gone, so that they give up too. */
  private poke(): void {
    const { owner, world } = this;
    for (const worker of world.workers) {
      if (this.goneSince.has(worker)) continue;
      const attempts: string[] = [];
      for (const { attempt, worker: at, state, workerLife } of this.tasks.values())
        if (at === worker && state === 'accepted' && workerLife === worker.life) attempts.push(attempt);
      world.network.send(owner, worker, () => worker.poke(owner, attempts));
    }
  }

  private chooseWorker(random: Random): SimWorker | undefined {
    const { goneSince } = this;
    const takers = this.world.workers.filter((each) => each.isAlive && !each.isDraining && !goneSince.has(each));
    return takers[randomInt(random, takers.length)];
  }

  /** S3 */
  private holdsSlot({ stretch }: Placing): boolean {
    return this.world.bugs.ignoresContact === true || (stretch !== undefined && stretch === this.stretchNow());
  }

  private stretchNow(): number | undefined {
    if (this.heardAt === undefined || this.owner.now() - this.heardAt > USAGE_MAX_AGE_MS) return undefined;
    return this.stretch;
  }
}
