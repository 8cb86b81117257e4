import type { OwnedShard } from '../desk-events.js';
import type { HolderEffect, HolderEvent } from '../holder-events.js';
import { LeaseHolder } from '../lease-holder.js';
import type { Demand, Grant } from '../lease-messages.js';
import { shardOfGroup } from '../../seats/shard.js';
import type { CoordinatorLife } from '../../usage-ledger.js';
import type { DeskManager } from './desk-manager.js';
import { DeskStream } from './desk-stream.js';
import type { DeskWorld } from './desk-world.js';
import type { DeskTask, DeskWorker } from './desk-worker.js';
import { SimProcess } from './sim-process.js';

const CONNECT_MS = 150;
const POKE_MS = 300;

type Stream = DeskStream<DeskCoordinator, DeskManager>;

interface LeafGroup {
  readonly group: string;
  readonly waiting: { readonly since: number; readonly durationMs: number }[];
  running: number;
  arrived: number;
}

interface Running {
  readonly leaf: LeafGroup;
  readonly worker: DeskWorker;
  readonly task: DeskTask;
}

interface Route {
  readonly stream: Stream;
  readonly epoch: number;
}

/** A coordinator: a real holder for each shard, and queries of one task each, sent when they start. */
export class DeskCoordinator extends SimProcess<DeskWorld> {
  readonly holders = new Map<number, LeaseHolder>();
  readonly leaves = new Map<string, LeafGroup>();
  readonly running = new Map<string, Running>();
  demands = 0;
  private readonly streams = new Map<string, { readonly stream: Stream; owned: readonly OwnedShard[] }>();
  private readonly routes = new Map<number, Route>();
  private readonly ticking = new Map<number, number>();

  get id(): CoordinatorLife {
    return { coordinatorId: this.name, incarnation: this.incarnation };
  }

  submit(group: string, durationMs: number): void {
    const leaf = this.leaf(group);
    leaf.waiting.push({ since: this.now(), durationMs });
    leaf.arrived++;
    this.startWhatMay(group);
    this.tell(leaf);
  }

  /** As one that knows no leases starts it: at once, and without asking. */
  startUnasked(group: string, durationMs: number): void {
    this.place({ group, waiting: [], running: 0, arrived: 0 }, durationMs, false);
  }

  hearOwned(stream: Stream, owned: readonly OwnedShard[]): void {
    const known = this.streams.get(stream.to.name);
    if (known?.stream !== stream) return;
    known.owned = owned;
    for (const shard of this.holders.keys()) this.reroute(shard);
  }

  hearGrant(stream: Stream, shard: number, grant: Grant): void {
    if (this.routes.get(shard)?.stream === stream) this.apply(shard, { kind: 'grant', grant });
  }

  taskEnded(id: string, how: string): void {
    const query = this.running.get(id);
    if (query === undefined) return;
    this.running.delete(id);
    query.leaf.running--;
    this.world.log(this, { kind: 'ended', how, group: query.leaf.group });
    if (query.task.stamp === undefined) return;
    this.tell(query.leaf);
    this.startWhatMay(query.leaf.group);
  }

  /** Sends a demand to whoever owns the shard. */
  say(shard: number, demand: Demand): void {
    const life = this.id;
    const stream = this.routes.get(shard)?.stream;
    stream?.up(() => stream.to.apply({ kind: 'demands', life, demands: [{ shard, demand }] }));
  }

  /** How many queries a valid lease allows in a leaf; undefined without one. */
  holdingOf(group: string): number | undefined {
    const explained = this.holders.get(shardOfGroup(group))?.explain(group, this.now());
    return explained?.isValid ? Math.max(explained.held, explained.running) : undefined;
  }

  routeOf(shard: number): Route | undefined {
    return this.routes.get(shard);
  }

  protected began(): void {
    for (const root of this.world.rootGroups) if (!root.isDynamic) this.hold(shardOfGroup(root.template));
    this.connect();
    this.every(CONNECT_MS, () => this.connect());
    this.every(POKE_MS, () => this.poke());
  }

  protected ended(): void {
    this.world.breakStreams(this);
    for (const map of [this.streams, this.routes, this.holders, this.leaves, this.running]) map.clear();
  }

  private connect(): void {
    for (const manager of this.world.managers) {
      if (this.streams.has(manager.name)) continue;
      const stream = new DeskStream<DeskCoordinator, DeskManager>(this.world, this, manager);
      this.streams.set(manager.name, { stream, owned: [] });
      const { incarnation } = this;
      stream.watch(this, () => {
        if (this.streams.get(manager.name)?.stream !== stream) return;
        this.streams.delete(manager.name);
        for (const shard of this.holders.keys()) this.reroute(shard);
      });
      if (manager.isAlive) stream.up(() => manager.accept(stream, incarnation));
      else stream.break();
    }
  }

  /** The owner of a shard is who says so with the highest epoch. */
  private reroute(shard: number): void {
    let best: Route | undefined;
    for (const { stream, owned } of this.streams.values()) {
      const epoch = owned.find((one) => one.shard === shard)?.epoch;
      if (epoch !== undefined && epoch > (best?.epoch ?? 0)) best = { stream, epoch };
    }
    const present = this.routes.get(shard);
    if (present?.stream === best?.stream && present?.epoch === best?.epoch) return;
    if (present !== undefined) this.apply(shard, { kind: 'streamLost' });
    if (best === undefined) return void this.routes.delete(shard);
    this.routes.set(shard, best);
    this.apply(shard, { kind: 'streamOpened', epoch: best.epoch });
  }

  private leaf(group: string): LeafGroup {
    let leaf = this.leaves.get(group);
    if (leaf !== undefined) return leaf;
    this.leaves.set(group, (leaf = { group, waiting: [], running: 0, arrived: 0 }));
    this.hold(shardOfGroup(group));
    return leaf;
  }

  private hold(shard: number): void {
    if (this.holders.has(shard)) return;
    const { timing, rules } = this.world.tuning;
    const tuned = { ...(timing && { timing }), ...(rules && { rules }) };
    this.holders.set(shard, new LeaseHolder({ life: this.id, random: this.random, ...tuned }));
    this.reroute(shard);
  }

  private apply(shard: number, event: HolderEvent): void {
    const holder = this.holders.get(shard);
    if (holder === undefined) return;
    for (const effect of holder.apply(event, this.now())) this.perform(shard, effect);
    this.world.checks.afterStep();
    const tick = (this.ticking.get(shard) ?? 0) + 1;
    this.ticking.set(shard, tick);
    const wakeAt = holder.wakeAt();
    if (wakeAt === Infinity) return;
    this.after(Math.max(0, wakeAt - this.now()) + 0.01, () => {
      if (tick === this.ticking.get(shard)) this.apply(shard, { kind: 'tick' });
    });
  }

  private perform(shard: number, effect: HolderEffect): void {
    this.world.log(this, effect);
    if (effect.kind === 'startable') for (const group of effect.groups) this.startWhatMay(group);
    if (effect.kind !== 'send') return;
    this.demands++;
    this.say(shard, effect.demand);
  }

  private startWhatMay(group: string): void {
    const leaf = this.leaves.get(group);
    const holder = this.holders.get(shardOfGroup(group));
    while (leaf !== undefined && leaf.waiting.length > 0 && holder?.mayStart(group, this.now())) {
      const first = leaf.waiting.shift();
      if (first !== undefined) this.place(leaf, first.durationMs, true);
    }
  }

  private place(leaf: LeafGroup, durationMs: number, isLeased: boolean): void {
    const { world, id: life } = this;
    const { group } = leaf;
    const queryId = world.nextQueryId(this.name);
    leaf.running++;
    world.log(this, { kind: 'started', group });
    const stamp = isLeased ? this.holders.get(shardOfGroup(group))?.taskStamp() : undefined;
    const worker = world.anyWorker();
    const task = { life, queryId, group, stamp, durationMs, workerIncarnation: worker.incarnation };
    this.running.set(queryId, { leaf, worker, task });
    if (isLeased) this.tell(leaf);
    this.send(worker, (to) => to.create(task, this));
  }

  private tell({ group, waiting, running, arrived }: LeafGroup): void {
    const oldest = waiting.slice(0, 8).map(({ since }) => ({ since: since as never, priority: 1 }));
    const leaf = { group, template: this.world.templateOf(group), running, waiting: waiting.length, oldest, arrived };
    this.apply(shardOfGroup(group), { kind: 'wants', leaves: [leaf] });
  }

  /** Workers hear that it lives. It says everything again: what came already, or has ended, is told. */
  private poke(): void {
    const life = this.id;
    for (const worker of this.world.workers) this.send(worker, (to) => to.poke(life));
    for (const { worker, task } of this.running.values()) this.send(worker, (to) => to.create(task, this));
  }
}
