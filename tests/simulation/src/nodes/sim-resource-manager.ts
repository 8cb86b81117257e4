// A resource manager: the real lease desk and usage ledger, with the streams and the table of nodes around them.
import {
  type CoordinatorLife,
  type CoordinatorReport,
  type Demand,
  type DeskEffect,
  type DeskEvent,
  type DeskReport,
  type GroupConfig,
  LeaseDesk,
  seatSet,
  type SeatMessage,
  type UsageAnswer,
  UsageLedger,
} from '@tutti/resource-groups';
import { nodeId } from '@tutti/base';
import { SimProcess } from '../kernel/sim-process.js';
import type { SimStream, StreamEnd } from '../kernel/sim-stream.js';
import type { SimWorld } from '../world/sim-world.js';
import { MemberTable } from './member-table.js';
import { SeatLinks } from './seat-links.js';
import type { SimCoordinator } from './sim-coordinator.js';
import type { SimWorker } from './sim-worker.js';

export interface SimAnswer extends UsageAnswer {
  readonly answeredBy: string;
}

export interface ShardDemand {
  readonly shard: number;
  readonly demand: Demand;
}

const SWEEP_MS = 500;
/** After so long a resource manager that has just started answers even if it does not know everybody. */
const STARTING_MS = 10_000;
const EXPIRE_AFTER_MS = 10_000;
export const CLUSTER = { activeWorkers: 10, memoryBytes: 1_000 };

interface Caller {
  readonly life: CoordinatorLife;
  readonly coordinator: SimCoordinator;
  readonly stream: SimStream;
}

export class SimResourceManager extends SimProcess {
  private desk!: LeaseDesk;
  private ledger!: UsageLedger;
  private members!: MemberTable;
  private links!: SeatLinks;
  private callers: Caller[] = [];
  private startedAt = 0;
  private membersTold = -1;
  private readonly epochs = new Map<number, number>();
  private readonly workerSequences = new Map<string, number>();
  private onDrained: (() => void) | undefined;

  constructor(
    private readonly world: SimWorld,
    name: string,
    index: number,
  ) {
    super(world, name, index);
  }

  /** The epoch in which it believes to own a shard; 0 when it does not. */
  epochOf(shard: number): number {
    return this.epochs.get(shard) ?? 0;
  }

  get ownedShards(): ReadonlyMap<number, number> {
    return this.epochs;
  }

  /** A coordinator opened its stream of leases. */
  accept(coordinator: SimCoordinator, incarnation: number, stream: SimStream): void {
    const caller = { life: { coordinatorId: coordinator.name, incarnation }, coordinator, stream };
    this.callers.push(caller);
    this.apply({ kind: 'connected', life: caller.life });
  }

  hangUp(stream: SimStream): void {
    const caller = this.callers.find((each) => each.stream === stream);
    if (caller === undefined) return;
    this.callers = this.callers.filter((each) => each !== caller);
    this.apply({ kind: 'disconnected', life: caller.life });
  }

  hearDemands(life: CoordinatorLife, demands: readonly ShardDemand[]): void {
    this.apply({ kind: 'demands', life, demands });
  }

  /** Another seat has opened a stream to this one. */
  hearLink(stream: SimStream): StreamEnd {
    this.links.accepted(stream);
    return { onClosed: () => undefined };
  }

  hearSeat(message: SeatMessage): void {
    this.apply({ kind: 'seatMessage', message });
  }

  /** A heartbeat of a coordinator. Answered when it says when it was sent. */
  report(report: CoordinatorReport, from: SimCoordinator, sentAt: number | undefined): void {
    this.takeIn(report);
    if (sentAt === undefined) return;
    const endedLives = this.members.endedLives('worker');
    this.world.network.send(this, from, () => from.reportHeard(sentAt, endedLives));
  }

  /** A heartbeat of a worker. */
  workerReport(from: SimWorker, report: DeskReport): void {
    const { workerId, incarnation, sequence, tasks } = report;
    this.members.heard(workerId, 'worker', incarnation, this.now());
    this.tellMembers();
    const place = `${workerId}/${incarnation}`;
    if (sequence > (this.workerSequences.get(place) ?? 0)) {
      this.workerSequences.set(place, sequence);
      this.ledger.recordWorker(workerId, tasks, this.now());
    }
    this.apply({ kind: 'workerReport', report }, from);
  }

  left(name: string, incarnation: number): void {
    this.members.left(name, incarnation);
    this.ledger.forget(name);
    this.tellMembers();
  }

  /** A question about usage: undefined while it does not know everybody. */
  ask(report: CoordinatorReport): SimAnswer | undefined {
    this.takeIn(report);
    const { coordinators, workers } = this.world;
    const all = coordinators.length + workers.length;
    const heard = this.members.list('coordinator').length + this.members.list('worker').length;
    if (heard < all && this.now() - this.startedAt < STARTING_MS) return undefined;
    return { ...this.ledger.usageFor(report, this.now()), answeredBy: `${this.name}/${this.incarnation}` };
  }

  reload(config: GroupConfig): void {
    this.apply({ kind: 'configured', config });
  }

  /** Gives up what it owns, in good order. */
  drain(onDrained: () => void): void {
    this.onDrained = onDrained;
    this.apply({ kind: 'drain' });
  }

  protected began(): void {
    const { world, name, incarnation } = this;
    const { bugs } = world;
    this.startedAt = this.now();
    this.ledger = new UsageLedger({ expireAfterMs: EXPIRE_AFTER_MS });
    this.members = new MemberTable();
    this.links = new SeatLinks(world, this);
    this.callers = [];
    this.membersTold = -1;
    this.epochs.clear();
    this.workerSequences.clear();
    this.onDrained = undefined;
    this.desk = new LeaseDesk({
      ...{ seat: nodeId(name), incarnation, startedAt: this.now(), random: world.random, config: world.config },
      seatSet: seatSet(
        1,
        world.resourceManagers.map((manager) => nodeId(manager.name)),
      ),
      isFirstStart: world.plan.isFirstStart && this.life === 1,
      ...(bugs.leaseTiming && { timing: bugs.leaseTiming }),
      ...(bugs.leaseRules && { rules: bugs.leaseRules }),
      ...(bugs.seatRules && { seatRules: bugs.seatRules }),
    });
    this.apply({ kind: 'tick' });
    this.apply({ kind: 'measured', cluster: CLUSTER, levels: [] });
    this.every(SWEEP_MS, 0, () => this.sweep());
  }

  protected ended(isLoud: boolean): void {
    this.epochs.clear();
    for (const { stream } of this.callers) stream.died(1, isLoud);
    this.links.died(isLoud);
  }

  protected wake(): void {
    this.apply({ kind: 'tick' });
  }

  protected overslept(): void {
    this.world.trace?.note(this, 'notices that it was suspended');
    this.apply({ kind: 'overslept' });
  }

  private takeIn(report: CoordinatorReport): void {
    this.members.heard(report.coordinatorId, 'coordinator', report.incarnation, this.now());
    this.tellMembers();
    this.ledger.record(report, this.now());
  }

  private sweep(): void {
    this.members.sweep(this.now());
    this.ledger.expire(this.now());
    this.tellMembers();
    if (this.world.measuresLevels) {
      const groups = this.ledger.groups(this.now());
      const cpu = this.ledger.cpuUsedMs(this.now());
      const levels = groups.map(({ group, memoryBytes }) => ({ group, memoryBytes, cpuUsedMs: cpu.get(group) ?? 0 }));
      this.apply({ kind: 'measured', cluster: CLUSTER, levels });
    }
  }

  private tellMembers(): void {
    if (this.membersTold === this.members.version) return;
    this.membersTold = this.members.version;
    this.apply({
      kind: 'membership',
      coordinators: this.members
        .list('coordinator')
        .map(({ name: coordinatorId, incarnation }) => ({ coordinatorId, incarnation })),
      workers: this.members.list('worker').map(({ name: workerId, incarnation }) => ({ workerId, incarnation })),
    });
  }

  private apply(event: DeskEvent, reporter?: SimWorker): void {
    for (const effect of this.desk.apply(event, this.now())) this.carryOut(effect, reporter);
    this.wakeBy(this.desk.wakeAt());
  }

  private carryOut(effect: DeskEffect, reporter: SimWorker | undefined): void {
    const { world } = this;
    switch (effect.kind) {
      case 'toSeat':
        return this.links.send(effect.to, effect.message);
      case 'owns':
        return this.tellOwned(effect.shards, effect.to);
      case 'grant': {
        const { to, shard, grant } = effect;
        const caller = this.callerOf(to);
        if (caller === undefined) return;
        world.leaseMessages++;
        const { coordinator, stream } = caller;
        world.trace?.note(
          this,
          `grants ${coordinator.name} ${grant.kind} ${capsOf(grant.caps)}, e${grant.epoch}#${grant.ackSeq}`,
        );
        const deliver = (): void => coordinator.hearGrant(this, shard, grant);
        if (world.plan.datagrams) world.network.send(this, coordinator, deliver);
        else stream.send(1, deliver);
        return;
      }
      case 'fences':
        world.leaseWatch.fencesTold(effect.shard, effect.list);
        if (reporter !== undefined)
          world.network.send(this, reporter, () => reporter.takeFences(effect.shard, effect.list));
        return;
      case 'note':
        world.trace?.note(this, noteText(effect.note));
        if (effect.note.kind === 'overclaim') world.overclaims++;
        return;
      case 'drained':
        world.trace?.note(this, 'is drained');
        this.onDrained?.();
        return;
    }
  }

  private tellOwned(shards: readonly { shard: number; epoch: number }[], to: CoordinatorLife | undefined): void {
    this.epochs.clear();
    for (const { shard, epoch } of shards) this.epochs.set(shard, epoch);
    for (const { coordinator, stream, life } of this.callers) {
      if (to !== undefined && (to.coordinatorId !== life.coordinatorId || to.incarnation !== life.incarnation))
        continue;
      this.world.leaseMessages++;
      stream.send(1, () => coordinator.hearOwned(this, shards));
    }
  }

  /** The newest stream of a life. */
  private callerOf({ coordinatorId, incarnation }: CoordinatorLife): Caller | undefined {
    return this.callers.findLast(
      ({ life }) => life.coordinatorId === coordinatorId && life.incarnation === incarnation,
    );
  }
}

const capsOf = (caps: readonly { readonly group: string; readonly cap: number }[]): string =>
  caps.length === 0 ? '-' : caps.map(({ group, cap }) => `${group}=${cap}`).join(' ');

const noteText = ({ kind, ...facts }: { readonly kind: string }): string => `${kind} ${JSON.stringify(facts)}`;
