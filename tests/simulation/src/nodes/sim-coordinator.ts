// A coordinator: the real group tree in a shell like the real one.
//   K1. Whether a query starts is decided by the tree alone; here its effects are carried out, in order.
//   K2. A query is finished for the tree when no task of it can run any more: each has ended, was canceled, or is gone with
//       its worker.
import { nodeId, type QueryId, queryId as asQueryId } from '@tutti/base';
import {
  type CoordinatorReport,
  type Demand,
  type Grant,
  type GroupConfig,
  type GroupEvent,
  GroupTree,
  type GroupEffect,
  type TaskStamp,
  type WaitExplanation,
} from '@tutti/resource-groups';
import { SimProcess } from '../kernel/sim-process.js';
import { targetAt } from '../plans/groups.js';
import type { SimQuery } from '../world/sim-query.js';
import type { SimWorld } from '../world/sim-world.js';
import { LeaseStreams } from './lease-streams.js';
import { CLUSTER, type ShardDemand, type SimResourceManager } from './sim-resource-manager.js';
import type { Judgement } from './sim-worker.js';
import { TaskSender } from './task-sender.js';
import { UsageAsker } from './usage-asker.js';

/** What a task carries. */
export interface Stamp {
  readonly shard: number;
  readonly stamp: TaskStamp;
}

const HEARTBEAT_MS = 1_000;
const REPORT_SOON_MS = 20;
export const USAGE_MAX_AGE_MS = 3_000;

export class SimCoordinator extends SimProcess {
  tree!: GroupTree;
  private queries = new Map<string, SimQuery>();
  private streams!: LeaseStreams;
  private asker!: UsageAsker;
  private tasks!: TaskSender;
  private sequence = 0;
  private queryNumber = 0;
  private isReportPending = false;
  private isDraining = false;
  private onDrained: (() => void) | undefined;
  /** Marks the query ids of this life. */
  private suffix = '';
  /** How many queries it has started of each leaf. */
  readonly startsByLeaf = new Map<string, number>();

  constructor(
    readonly world: SimWorld,
    name: string,
    index: number,
  ) {
    super(world, name, index);
  }

  get takesQueries(): boolean {
    return this.isAlive && !this.isDraining;
  }

  get questions(): number {
    return this.asker.questions;
  }

  submit(query: SimQuery): void {
    const { plan } = query;
    const number = String(this.queryNumber++).padStart(5, '0');
    query.id = `20260101_000000_${number}_${this.suffix}`;
    this.queries.set(query.id, query);
    this.enter(query, undefined);
    this.asker.moved();
    const { life } = this;
    if (plan.cancelAfterMs !== undefined)
      this.world.time.after(plan.cancelAfterMs, () => this.deliver(life, () => this.cancel(query)));
  }

  hearOwned(from: SimResourceManager, shards: readonly { shard: number; epoch: number }[]): void {
    this.streams.heard(from, true);
    this.apply({ kind: 'leaseOwners', seat: nodeId(from.name), shards });
  }

  hearGrant(from: SimResourceManager, shard: number, grant: Grant): void {
    this.streams.heard(from, !this.world.plan.datagrams);
    this.apply({ kind: 'leaseGranted', seat: nodeId(from.name), shard, grant });
    const { kind, epoch, ackSeq: seq, caps } = grant;
    if (kind === 'renewed')
      this.world.leaseWatch.renewed(this.name, shard, { incarnation: this.incarnation, epoch, seq });
    this.world.redeals.answered(shard, epoch, caps.length > 0);
    this.tasks.tryWaiting();
  }

  /** Whether it would start something in a shard by the lease that it has. */
  reliesOn(shard: number): boolean {
    return this.tree.leaseFigures(this.now()).some((figure) => figure.shard === shard && figure.isValid);
  }

  leaseStreamLost(from: SimResourceManager): void {
    this.apply({ kind: 'leaseStreamLost', seat: nodeId(from.name) });
  }

  /** A resource manager has heard the report that was made at `sentAt`, and knows these lives of workers to be over. */
  reportHeard(sentAt: number, endedLives: ReadonlyMap<string, number>): void {
    this.tasks.heardBy(sentAt, endedLives);
  }

  taskJudged(attempt: string, judgement: Judgement): void {
    this.tasks.judged(attempt, judgement);
  }

  taskEnded(attempt: string, isDone: boolean): void {
    this.tasks.ended(attempt, isDone);
  }

  taskUses({ id, state }: SimQuery, memoryBytes: number, cpuMs: number): void {
    if (state === 'started') this.apply({ kind: 'used', queryId: asQueryId(id), memoryBytes, cpuMs });
  }

  reload(config: GroupConfig): void {
    this.apply({ kind: 'configured', config });
  }

  cancel(query: SimQuery): void {
    if (query.isOver || !this.queries.has(query.id)) return;
    const wasQueued = query.state === 'queued';
    this.world.trace?.note(this, `cancels ${query.name}`);
    this.world.end(query, 'canceled');
    if (wasQueued) this.finish(query);
    else this.tasks.cancel(query);
  }

  explain(query: SimQuery): WaitExplanation | undefined {
    return this.tree.explain(asQueryId(query.id), this.now());
  }

  /** Takes no more queries, and calls when none is left. */
  drain(onDrained: () => void): void {
    this.isDraining = true;
    this.onDrained = onDrained;
    this.leaveWhenIdle();
  }

  apply(event: GroupEvent): void {
    const demands = new Map<string, ShardDemand[]>();
    for (const effect of this.tree.apply(event, this.now())) this.carryOut(effect, demands);
    for (const [seat, all] of demands) this.streams.send(seat, all);
    this.wakeBy(this.tree.wakeAt());
    if (event.kind === 'submitted' || event.kind === 'finished' || event.kind === 'used') this.reportSoon();
  }

  /** Nothing of the query can run any more (K2). */
  finish(query: SimQuery): void {
    if (!this.queries.delete(query.id)) return;
    this.apply({ kind: 'finished', queryId: asQueryId(query.id) });
    this.leaveWhenIdle();
  }

  nextReport(): CoordinatorReport {
    const { name: coordinatorId, incarnation, suffix: queryIdSuffix } = this;
    return { coordinatorId, incarnation, queryIdSuffix, sequence: ++this.sequence, groups: this.tree.counts() };
  }

  protected began(): void {
    const { world, name, incarnation } = this;
    const { bugs, plan } = world;
    this.suffix = `${name.slice(-1)}${this.life.toString(36).padStart(4, 'a')}`;
    this.queries = new Map();
    this.isDraining = false;
    this.isReportPending = false;
    this.onDrained = undefined;
    this.sequence = 0;
    this.queryNumber = 0;
    this.tree = new GroupTree({
      ...{ config: world.config, usageMaxAgeMs: USAGE_MAX_AGE_MS },
      leases: {
        life: { coordinatorId: name, incarnation },
        random: world.random,
        ...(bugs.leaseTiming && { timing: bugs.leaseTiming }),
        ...(bugs.leaseRules && { rules: bugs.leaseRules }),
      },
    });
    this.tasks = new TaskSender(world, this);
    this.asker = new UsageAsker(world, this);
    this.streams = new LeaseStreams(world, this);
    this.apply({ kind: 'clusterChanged', ...CLUSTER });
    if (plan.mode === 'leased') this.streams.open();
    this.every(HEARTBEAT_MS, plan.mode === 'presto' ? 0.5 : 0.2, () => this.report(true));
    this.asker.begin();
    this.tasks.begin();
    this.report(true);
  }

  protected ended(isLoud: boolean): void {
    this.streams.died(isLoud);
    // Those too that have come while it stood still.
    for (const query of [...this.world.openQueries()]) if (query.at === this.name) this.world.end(query, 'lost');
    const { life } = this;
    if (!isLoud) return;
    for (const worker of this.world.workers) this.world.network.send(this, worker, () => worker.readerLeft(this, life));
  }

  protected wake(): void {
    this.apply({ kind: 'tick' });
    this.tasks.tryWaiting();
  }

  protected overslept(): void {
    this.world.trace?.note(this, 'notices that it was suspended');
    this.apply({ kind: 'overslept' });
  }

  private enter(query: SimQuery, queuedSince: number | undefined): void {
    const { priority, group } = query.plan;
    const target = targetAt(this.tree.config, group);
    if (target === undefined || (target.specs.at(-1)?.subGroups.length ?? 0) > 0) {
      this.world.end(query, 'rejected');
      this.queries.delete(query.id);
      return;
    }
    const since = queuedSince === undefined ? {} : { queuedSince: queuedSince as never };
    this.apply({ kind: 'submitted', queryId: asQueryId(query.id), target, priority, ...since });
  }

  /** K1 */
  private carryOut(effect: GroupEffect, demands: Map<string, ShardDemand[]>): void {
    switch (effect.kind) {
      case 'demand':
        return this.collect(effect.seat, { shard: effect.shard, demand: effect.demand }, demands);
      case 'askUsage':
        return this.asker.ask();
      case 'start':
        return this.admit(this.query(effect.queryId));
      case 'requeue': {
        const query = this.query(effect.queryId);
        this.world.trace?.note(this, `queues ${query.name} again: its lease is over`);
        this.tasks.forget(query);
        this.world.checks.requeued(query);
        return;
      }
      case 'reject': {
        const query = this.query(effect.queryId);
        this.queries.delete(query.id);
        return this.world.end(query, 'rejected');
      }
      case 'reselect':
        return this.enter(this.query(effect.queryId), effect.queuedSince);
    }
  }

  private collect(seat: string, demand: ShardDemand, demands: Map<string, ShardDemand[]>): void {
    const all = demands.get(seat);
    if (all === undefined) demands.set(seat, [demand]);
    else all.push(demand);
  }

  private admit(query: SimQuery): void {
    this.world.trace?.note(this, `starts ${query.name} in ${query.leaf.path}`);
    this.world.checks.started(query);
    this.startsByLeaf.set(query.leaf.path, (this.startsByLeaf.get(query.leaf.path) ?? 0) + 1);
    this.tasks.place(query);
    this.reportSoon();
  }

  private query(id: QueryId): SimQuery {
    const query = this.queries.get(id);
    if (query === undefined) throw new Error(`${this.name} has no query ${id}`);
    return query;
  }

  private leaveWhenIdle(): void {
    const { onDrained } = this;
    if (onDrained === undefined || this.queries.size > 0) return;
    this.onDrained = undefined;
    const { name, incarnation, world } = this;
    for (const manager of world.resourceManagers)
      world.network.send(this, manager, () => manager.left(name, incarnation));
    onDrained();
  }

  private reportSoon(): void {
    if (this.isReportPending || this.world.plan.mode === 'presto') return;
    this.isReportPending = true;
    this.after(REPORT_SOON_MS, () => this.report(this.world.plan.mode === 'gated'));
  }

  /** What only the rule of contact needs of an answer is left out where that does not count. */
  private report(wantsAnswer: boolean): void {
    this.isReportPending = false;
    const report = this.nextReport();
    const sentAt = wantsAnswer ? this.now() : undefined;
    for (const manager of this.world.resourceManagers)
      this.world.network.send(this, manager, () => manager.report(report, this, sentAt));
  }
}

/** How much of a demand a reader wants to see. */
export const demandText = ({ seq, leaves, isLapsed, baseSeq }: Demand): string => {
  const told = leaves.map(({ group, held, running, waiting }) => `${group} ${running}/${held}+${waiting}`).join(', ');
  return `#${seq}${isLapsed ? ' lapsed' : ''}${baseSeq === undefined ? ' all' : ''}: ${told === '' ? '-' : told}`;
};
