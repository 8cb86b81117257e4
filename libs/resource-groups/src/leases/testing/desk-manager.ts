import { nodeId } from '@tutti/base';
import type { DeskEffect, DeskEvent, DeskReport } from '../desk-events.js';
import { LeaseDesk } from '../lease-desk.js';
import { lifeKey } from '../life.js';
import type { DeskCoordinator } from './desk-coordinator.js';
import type { DeskStream } from './desk-stream.js';
import type { DeskWorld } from './desk-world.js';
import { SimProcess } from './sim-process.js';

const MEMBERSHIP_MS = 300;

type Stream = DeskStream<DeskCoordinator, DeskManager>;

/** A resource manager: the real desk, with the little of a shell that it needs. */
export class DeskManager extends SimProcess<DeskWorld> {
  desk: LeaseDesk | undefined;
  messages = 0;
  private readonly streams = new Map<string, Stream>();
  private lives = 0;
  private ticking = 0;

  protected began(): void {
    const { world, incarnation, name } = this;
    const random = world.driftMax === 0 ? (): number => 0.5 : world.random;
    const desk = new LeaseDesk({
      ...{ seat: nodeId(name), incarnation, startedAt: this.now(), seatSet: world.seatSet, random },
      ...{
        isFirstStart: world.isFirstStart && this.lives++ === 0,
        config: { rootGroups: world.rootGroups, selectors: [] },
      },
      ...world.tuning,
    });
    this.desk = desk;
    this.apply({ kind: 'tick' });
    this.apply(world.membership());
    this.every(MEMBERSHIP_MS, () => this.apply(this.world.membership()));
  }

  protected ended(): void {
    this.desk = undefined;
    this.world.breakStreams(this);
    this.streams.clear();
  }

  /** Only to be called while it runs: see SimProcess.run. */
  apply(event: DeskEvent): DeskEffect[] {
    const { desk } = this;
    if (desk === undefined) return [];
    const effects = desk.apply(event, this.now());
    for (const effect of effects) this.perform(effect);
    const wakeAt = desk.wakeAt();
    const tick = ++this.ticking;
    if (wakeAt === Infinity) return effects;
    if (event.kind === 'tick' && wakeAt <= this.now()) this.world.checks.fail(`${this.name} spins`);
    this.after(Math.max(0, wakeAt - this.now()) + 0.01, () => {
      if (tick === this.ticking) this.apply({ kind: 'tick' });
    });
    return effects;
  }

  accept(stream: Stream, incarnation: number): void {
    const life = { coordinatorId: stream.from.name, incarnation };
    this.streams.get(lifeKey(life))?.break();
    this.streams.set(lifeKey(life), stream);
    this.apply({ kind: 'connected', life });
    stream.watch(this, () => {
      if (this.streams.get(lifeKey(life)) === stream) this.streams.delete(lifeKey(life));
      this.apply({ kind: 'disconnected', life });
    });
  }

  hearWorker(report: DeskReport): void {
    const worker = this.world.worker(report.workerId);
    const lists = this.apply({ kind: 'workerReport', report }).filter((effect) => effect.kind === 'fences');
    if (lists.length > 0) this.send(worker, (to) => to.takeFences(lists, report.incarnation));
  }

  private perform(effect: DeskEffect): void {
    const { world } = this;
    world.log(this, effect);
    switch (effect.kind) {
      case 'toSeat': {
        this.messages++;
        const { message } = effect;
        return this.send(world.manager(effect.to), (to) => to.apply({ kind: 'seatMessage', message }));
      }
      case 'owns':
        for (const stream of effect.to ? [this.streams.get(lifeKey(effect.to))] : this.streams.values())
          stream?.down(() => stream.from.hearOwned(stream, effect.shards));
        return;
      case 'grant': {
        const { to, shard, grant } = effect;
        const stream = this.streams.get(lifeKey(to));
        stream?.down(() => stream.from.hearGrant(stream, shard, grant));
        return;
      }
      case 'fences':
        return;
      case 'note':
        return world.checks.noted(this, effect.note);
      case 'drained':
        return;
    }
  }
}
