// Drives the lease desk of this resource manager: events in, effects to streams, one timer.
//   D1. Whatever happens goes through `apply`: first it is looked whether the machine stood still, then the desk decides,
//       then all its effects are done, then the timer is set anew.
//   D2. One timer, for the earliest moment that the desk named. One that comes too early looks again.
import type { Clock, Instant } from '@tutti/base';
import type { OwnedShard, ShardDemand, ShardFences } from '@tutti/lease-wire';
import type {
  CoordinatorLife,
  DeskEffect,
  DeskEvent,
  DeskNote,
  DeskReport,
  LeaseDesk,
  SeatId,
  SeatMessage,
} from '@tutti/resource-groups';
import type { Log } from '@tutti/service';
import { StallCheck } from './core/stall-check.js';
import type { LeaseOutbox } from './lease-outbox.js';
import { LeaseStreams } from './lease-streams.js';

export interface LeaseDeskShellOptions {
  readonly desk: LeaseDesk;
  /** Sends a message to another seat; it may get lost. */
  readonly toSeat: (to: SeatId, message: SeatMessage) => void;
  /** Things that people and metrics should know of, all of one event. */
  readonly onNotes: (notes: readonly DeskNote[]) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A timer for a moment that is here already: the event loop goes round once before it. */
const DELAY_MIN_MS = 1;

export class LeaseDeskShell {
  readonly streams = new LeaseStreams();
  private readonly stall = new StallCheck();
  private owned: readonly OwnedShard[] = [];
  private timer: { readonly at: Instant; readonly cancel: () => void } | undefined;
  private drained: (() => void) | undefined;
  private isStopped = false;

  constructor(private readonly options: LeaseDeskShellOptions) {}

  /** For reading only. */
  get desk(): Omit<LeaseDesk, 'apply'> {
    return this.options.desk;
  }

  start(): void {
    this.apply({ kind: 'tick' });
  }

  /** Nothing happens by itself any more. */
  stop(): void {
    this.isStopped = true;
    this.timer?.cancel();
    this.timer = undefined;
  }

  connected(life: CoordinatorLife, outbox: LeaseOutbox): void {
    this.streams.add(life, outbox);
    outbox.tellOwned(this.owned);
    this.apply({ kind: 'connected', life });
  }

  disconnected(life: CoordinatorLife, outbox: LeaseOutbox): void {
    this.streams.remove(life, outbox);
    this.apply({ kind: 'disconnected', life });
  }

  demands(life: CoordinatorLife, demands: readonly ShardDemand[]): void {
    this.apply({ kind: 'demands', life, demands });
    // Nobody answers a demand for another owner. Whoever sent it did not know yet, and must not wait.
    const isLost = ({ shard, demand }: ShardDemand) => this.epochOf(shard) !== demand.ownerEpoch;
    if (demands.some(isLost)) this.streams.tellOwned(this.owned, life);
  }

  /** Takes in what a worker runs; returns what to tell it. */
  workerReport(report: DeskReport): ShardFences[] {
    return this.apply({ kind: 'workerReport', report }).flatMap((effect) =>
      effect.kind === 'fences' ? [{ shard: effect.shard, list: effect.list }] : [],
    );
  }

  /** Queries that counted for the coordinator, and count no more. */
  writeOff(coordinatorId: string): number {
    return this.apply({ kind: 'writeOff', coordinatorId }).reduce(
      (sum, effect) => (effect.kind === 'note' && effect.note.kind === 'wroteOff' ? sum + effect.note.queries : sum),
      0,
    );
  }

  /** Gives up everything that is owned, in good order; resolves when that is done, or when nobody can take it. */
  drain(): Promise<void> {
    return new Promise((resolve) => {
      this.drained = resolve;
      this.apply({ kind: 'drain' });
    });
  }

  apply(event: DeskEvent): readonly DeskEffect[] {
    const { desk, clock } = this.options;
    const now = clock.now();
    if (this.stall.hasStalled(now, clock.wallMs())) {
      this.options.log.warn('machine-overslept', { message: 'the machine stood still: all ownership is given up' });
      this.perform(desk.apply({ kind: 'overslept' }, now));
    }
    const effects = desk.apply(event, now);
    this.perform(effects);
    this.setTimer(now);
    return effects;
  }

  private perform(effects: readonly DeskEffect[]): void {
    const notes: DeskNote[] = [];
    for (const effect of effects) {
      switch (effect.kind) {
        case 'toSeat':
          this.options.toSeat(effect.to, effect.message);
          break;
        case 'owns':
          if (effect.to === undefined) this.owned = effect.shards;
          this.streams.tellOwned(effect.shards, effect.to);
          break;
        case 'grant':
          this.streams.tellGrant(effect.to, { shard: effect.shard, grant: effect.grant });
          break;
        case 'note':
          notes.push(effect.note);
          break;
        case 'drained':
          this.drained?.();
          break;
        case 'fences': // Part of the answer to the report: see workerReport.
          break;
      }
    }
    if (notes.length > 0) this.options.onNotes(notes);
  }

  private epochOf(shard: number): number | undefined {
    return this.owned.find((one) => one.shard === shard)?.epoch;
  }

  private setTimer(now: Instant): void {
    const at = this.options.desk.wakeAt();
    if (this.isStopped || at === Infinity || (this.timer !== undefined && this.timer.at <= at)) return;
    this.timer?.cancel();
    const cancel = this.options.clock.schedule(Math.max(DELAY_MIN_MS, at - now), () => this.onTimer());
    this.timer = { at, cancel };
  }

  private onTimer(): void {
    this.timer = undefined;
    const now = this.options.clock.now();
    if (now >= this.options.desk.wakeAt()) this.apply({ kind: 'tick' });
    else this.setTimer(now); // D2
  }
}
