// All that a resource manager does for leases: its seat, and an owner for each shard that the seat owns. Pure: an event and
// a time in, effects out. The shell has streams and a clock; the rest is here, and is what simulations run.
//   D1. In each step the seats go first: what is not owned any more at that time is lost before its owner hears anything
//       (A1, A5).
//   D2. A demand counts only when it comes on a stream of the coordinator's life that it names, for a shard that is owned.
//       Who asks the wrong one hears what is owned at its connection, and with each change.
//   D3. Whatever coordinators and workers tell of owners goes to the seats, whether the shard is owned or not: an owner steps
//       above it, and a first start of the cluster is none.
//   D4. Only root groups with the admission mode `leased` are dealt; shards without any cost nothing (S1 in desk-shard.ts).
import { type Instant, instant, type Random, unreachable } from '@tutti/base';
import type { GroupConfig } from '../group-config.js';
import type { SeatEvent } from '../seats/seat-events.js';
import { SeatMachine } from '../seats/seat-machine.js';
import type { Holder } from '../seats/seat-messages.js';
import type { SeatRules, SeatTiming } from '../seats/seat-rules.js';
import type { SeatSet } from '../seats/seat-set.js';
import { type SeatId, shardOfGroup } from '../seats/shard.js';
import type { CoordinatorLife } from '../usage-ledger.js';
import { DeskDrain } from './desk-drain.js';
import type {
  DeskCounters,
  DeskEffect,
  DeskEvent,
  DeskMembership,
  DeskReport,
  DeskShardState,
  ShardDemand,
} from './desk-events.js';
import { DeskMeasures, isSameMembership } from './desk-measures.js';
import { DeskOwners } from './desk-owners.js';
import type { DeskNews } from './desk-shard.js';
import { isPlausible, ToldEpochs } from './desk-told.js';
import type { LeasedTask } from './lease-messages.js';
import type { LeaseRules, LeaseTiming } from './lease-timing.js';
import { ShardRoots } from './lease-roots.js';
import { isSameLife } from './life.js';
import type { DealtGroup } from './owner-events.js';
import type { HeldBy } from './owner-reads.js';

export interface LeaseDeskOptions {
  readonly seat: SeatId;
  /** Must grow from each life of a seat to the next, as the wall clock at its start does. */
  readonly incarnation: number;
  readonly startedAt: Instant;
  /** Who is not in it owns nothing. */
  readonly seatSet: SeatSet;
  /** The operator vouches that nothing of an earlier life of the cluster can run. */
  readonly isFirstStart: boolean;
  readonly random: Random;
  readonly config: GroupConfig;
  readonly timing?: LeaseTiming;
  readonly rules?: LeaseRules;
  readonly seatTiming?: SeatTiming;
  readonly seatRules?: SeatRules;
}

export class LeaseDesk {
  private readonly seats: SeatMachine;
  private readonly owners: DeskOwners;
  private readonly told = new ToldEpochs();
  private readonly measures = new DeskMeasures();
  private readonly seat: SeatId;
  private roots: ShardRoots;
  private membership: DeskMembership | undefined;
  private draining: DeskDrain | undefined;
  private now: Instant;

  constructor(options: LeaseDeskOptions) {
    const { seat, incarnation, startedAt, seatSet, isFirstStart, random, config, seatTiming, seatRules } = options;
    const tuned = { ...(seatTiming && { timing: seatTiming }), ...(seatRules && { rules: seatRules }) };
    this.seats = new SeatMachine({ seat, incarnation, startedAt, seatSet, isFirstStart, random, ...tuned });
    this.owners = new DeskOwners(this.seats, options, () => this.news(), startedAt);
    this.seat = seat;
    this.roots = new ShardRoots(config.rootGroups);
    this.now = startedAt;
  }

  apply(event: DeskEvent, now: Instant): DeskEffect[] {
    const { owners } = this;
    this.now = now;
    owners.begin(now);
    owners.askSeats(seatEventOf(event)); // D1
    this.hear(event);
    for (const shard of this.draining?.mayGiveIdle((index) => this.isOwnedElsewhere(index), now) ?? [])
      this.resign(shard);
    if (this.draining?.mustLeave(owners.shards.size === 0, now)) owners.askSeats({ kind: 'drain' });
    const effects = owners.end();
    if (this.draining?.mayEnd(this.seats.isAlone, (shard) => this.isOwnedElsewhere(shard), now))
      effects.push({ kind: 'drained' });
    return effects;
  }

  /** When the next `tick` is due; Infinity: never. Later is safe. */
  wakeAt(): Instant {
    let at = Math.min(this.seats.wakeAt(), this.draining?.wakeAt() ?? Infinity);
    for (const shard of this.owners.shards.values()) {
      const due = shard.wakeAt();
      if (due < at) at = due;
    }
    return instant(at);
  }

  owned(): DeskShardState[] {
    return Array.from(this.owners.shards.values(), ({ index, epoch, owner: { phase } }) => ({
      ...{ shard: index, epoch, phase: phase === 'idle' ? 'resigning' : phase },
    }));
  }

  /** Who owns a shard, as far as this seat knows. */
  ownerOf(shard: number, now: Instant): { readonly holder: Holder; readonly epoch: number } | undefined {
    return this.seats.ownerOf(shard, now);
  }

  /** Whether this seat promises every shard: others may restart then without a gap. */
  isReady(now: Instant): boolean {
    return this.seats.isReady(now);
  }

  /** The groups of all owned shards in which somebody holds or wants something. */
  groups(): DealtGroup[] {
    return [...this.owners.shards.values()].flatMap(({ owner }) => owner.groups());
  }

  /** How many queries run beyond the limits, by group, as workers report it: see LeaseOwner. */
  overAdmission(): Map<string, number> {
    return new Map([...this.owners.shards.values()].flatMap(({ owner }) => [...owner.overAdmission()]));
  }

  /** Who holds what in a group and below it; nothing when its shard is not owned. */
  heldBy(group: string): HeldBy[] {
    return this.owners.shards.get(shardOfGroup(group))?.owner.heldBy(group) ?? [];
  }

  get counters(): DeskCounters {
    return this.owners.sums.with(Array.from(this.owners.shards.values(), ({ owner }) => owner.counters));
  }

  private hear(event: DeskEvent): void {
    const { owners, now } = this;
    switch (event.kind) {
      case 'seatMessage':
      case 'heldBack':
        return;
      case 'tick':
        for (const shard of [...owners.shards.values()]) if (now >= shard.wakeAt()) owners.tell(shard, event);
        return;
      case 'connected':
        owners.lives.opened(event.life);
        return owners.push({ kind: 'owns', shards: owners.owned(), to: event.life });
      case 'disconnected':
        return owners.lives.closed(event.life);
      case 'demands':
        for (const demand of event.demands) this.hearDemand(event.life, demand);
        return;
      case 'workerReport':
        return this.hearWorker(event.report);
      case 'membership':
        if (this.membership !== undefined && isSameMembership(this.membership, event)) return;
        this.membership = event;
        return owners.tellActive(event);
      case 'configured':
        this.roots = new ShardRoots(event.config.rootGroups);
        for (const shard of [...owners.shards.values()]) {
          owners.perform(shard, shard.configure(this.news(), now));
          owners.catchUp(shard);
        }
        return;
      case 'measured':
        this.measures.take(event);
        for (const shard of owners.active()) owners.tell(shard, this.measures.of(shard.index) ?? event);
        return;
      case 'writeOff':
        return owners.tellActive(event);
      case 'seatsChanged':
      case 'overslept':
        return owners.askSeats(event);
      case 'drain':
        return this.drain();
      default:
        return unreachable(event);
    }
  }

  /** D2 */
  private hearDemand(life: CoordinatorLife, { shard: index, demand }: ShardDemand): void {
    const { owners } = this;
    owners.sums.demands++;
    const isHonest = isSameLife(life, demand) && owners.lives.has(life) && isPlausible(demand);
    if (isHonest) this.hearOfEpoch(index, Math.max(demand.epochSeen, demand.stamp.epoch));
    const shard = owners.shards.get(index);
    if (!isHonest || shard === undefined) {
      owners.sums.demandsIgnored++;
      return;
    }
    const { overclaims } = shard.owner.counters;
    owners.tell(shard, { kind: 'demand', demand });
    owners.catchUp(shard);
    if (shard.owner.counters.overclaims > overclaims) owners.note({ kind: 'overclaim', shard: index, life });
  }

  private hearWorker(report: DeskReport): void {
    for (const { shard, epoch } of report.kept) this.hearOfEpoch(shard, epoch);
    const tasks = new Map<number, LeasedTask[]>();
    for (const task of report.tasks) {
      const shard = shardOfGroup(task.group);
      const among = tasks.get(shard);
      if (among === undefined) tasks.set(shard, [task]);
      else among.push(task);
    }
    for (const shard of this.owners.active())
      this.owners.perform(shard, shard.report(report, tasks.get(shard.index) ?? [], this.now));
  }

  /** D3 */
  private hearOfEpoch(shard: number, epoch: number): void {
    if (epoch <= (this.owners.shards.get(shard)?.epoch ?? 0) || !this.told.isNew(shard, epoch)) return;
    this.owners.askSeats({ kind: 'epochSeen', shard, epoch });
  }

  private drain(): void {
    const { owners } = this;
    if (this.draining !== undefined) return;
    const all = [...owners.shards.keys()];
    // Where nobody takes them over there is nobody to wait for.
    const busy = this.seats.isAlone ? all : owners.active().map(({ index }) => index);
    const idle = all.filter((index) => !busy.includes(index));
    this.draining = new DeskDrain(this.now, { busy, idle });
    owners.isDraining = true;
    owners.askSeats({ kind: 'leave' });
    for (const index of busy) this.resign(index);
  }

  private resign(index: number): void {
    const shard = this.owners.shards.get(index);
    if (shard !== undefined) this.owners.tell(shard, { kind: 'resigning' });
  }

  private isOwnedElsewhere(shard: number): boolean {
    const holder = this.seats.ownerOf(shard, this.now)?.holder;
    return holder !== undefined && holder.seat !== this.seat;
  }

  private news(): DeskNews {
    const { roots, membership, measures } = this;
    return { roots, membership, measuredOf: (shard) => measures.of(shard) };
  }
}

/** What the seat has to know before all else: who is held back must not even come to own what is free. */
function seatEventOf(event: DeskEvent): SeatEvent {
  if (event.kind === 'seatMessage') return { kind: 'received', message: event.message };
  return event.kind === 'heldBack' ? event : { kind: 'tick' };
}
