// What the parts of a seat machine share.
import { type Instant, instant, invariant, type Random } from '@tutti/base';
import type { CopyLimits } from './copy-store.js';
import { Beginning } from './seat-beginning.js';
import { Peers } from './seat-peers.js';
import type { HeldBack } from './seat-events.js';
import type { Holder } from './seat-messages.js';
import { promiseMs, type SeatRules, type SeatTiming } from './seat-rules.js';
import { FIRST_VERSION, majorityOf, type SeatSet } from './seat-set.js';
import { preferenceOf, type SeatId } from './shard.js';
import { Shard } from './shard-role.js';

/** At the first start of a cluster each seat waits for so long, per rank, for those that are preferred to it. */
const FIRST_RANK_MS = 1_000;

export interface SeatOptions {
  readonly seat: SeatId;
  /** Must grow from each life of a seat to the next, as the wall clock at its start does. */
  readonly incarnation: number;
  /** When this life began. */
  readonly startedAt: Instant;
  readonly seatSet: SeatSet;
  readonly timing: SeatTiming;
  /** The operator vouches that this is the first start of the cluster: nothing of an earlier one can run. */
  readonly isFirstStart: boolean;
  readonly random: Random;
  readonly shardCount: number;
  readonly copyLimits: CopyLimits;
  readonly rules: SeatRules;
}

export class SeatState {
  me: Holder;
  startedAt: Instant;
  set: SeatSet;
  /** So many seats must promise. */
  majority: number;
  draining = false;
  /** While there is a reason this seat decides nothing. */
  heldBack: HeldBack | undefined;
  isMember = false;
  others: readonly SeatId[] = [];
  /** Something may be due sooner than it was before this step. */
  isTouched = false;
  beginning = new Beginning(false);
  readonly timing: SeatTiming;
  readonly rules: SeatRules;
  readonly shards: readonly Shard[];
  readonly peers = new Peers();
  /** Since when a majority is known to have the present seat set. */
  private agreedSince: Instant | undefined;
  private readonly random: Random;
  private lastRequest = 0;

  constructor(options: SeatOptions) {
    this.me = { seat: options.seat, incarnation: options.incarnation };
    this.startedAt = options.startedAt;
    this.set = options.seatSet;
    this.majority = majorityOf(this.set);
    this.takeSet(options.seatSet);
    this.timing = options.timing;
    this.rules = options.rules;
    this.random = options.random;
    this.shards = Array.from({ length: options.shardCount }, (_, index) => {
      const preference = preferenceOf(options.seatSet.seats, index);
      return new Shard(index, preference, options.copyLimits, this.startedAt);
    });
    this.begin(this.me.incarnation, options.startedAt, options.isFirstStart);
  }

  /** Begins a life: what was promised stays promised, nothing is remembered. */
  begin(incarnation: number, now: Instant, isFirstStart = false, hasEarlierLife = false): void {
    this.me = { seat: this.me.seat, incarnation };
    this.startedAt = now;
    this.peers.forgetAnswers();
    for (const shard of this.shards) {
      shard.rememberedVersion = undefined;
      shard.handedOver = undefined;
      this.idle(shard, isFirstStart ? now : instant(now + promiseMs(this.timing)));
    }
    this.beginning = new Beginning(isFirstStart);
    if (hasEarlierLife) this.beginning.noteEarlierLife();
    this.noteBlanks(now);
  }

  /** Somebody knows of a former life of the cluster. Once something was promised here, it is this one that is known. */
  noteEarlierLife(): void {
    if (this.hasPromisedNothing) this.beginning.noteEarlierLife();
  }

  remembers(shard: Shard): boolean {
    return shard.rememberedVersion === this.set.version;
  }

  shardAt(index: number): Shard {
    const shard = this.shards[index];
    invariant(shard !== undefined, `there is no shard ${index}`);
    return shard;
  }

  /** From now on these are the seats. */
  useSet(set: SeatSet): void {
    this.takeSet(set);
    this.agreedSince = undefined;
    for (const shard of this.shards) shard.preference = preferenceOf(set.seats, shard.index);
  }

  private takeSet(set: SeatSet): void {
    this.set = set;
    this.majority = majorityOf(set);
    this.isMember = set.seats.includes(this.me.seat);
    this.others = set.seats.filter((seat) => seat !== this.me.seat);
  }

  /** Looks whether a majority is known to have the present seat set. */
  noteVersions(now: Instant): void {
    if (this.agreedSince === undefined && this.countAtVersion() >= this.majority) this.agreedSince = now;
  }

  /** A majority has had the present seat set for longer than promises of the former one last (V3). */
  isSettled(now: Instant): boolean {
    this.noteVersions(now);
    return this.agreedSince !== undefined && now - this.agreedSince >= promiseMs(this.timing);
  }

  private countAtVersion(): number {
    return this.peers.countAtVersion(this.others, this.set.version) + (this.isMember ? 1 : 0);
  }

  /** It remembers nothing of any shard, has promised nothing, and nobody has told it of owners. */
  get isBlank(): boolean {
    if (!this.hasPromisedNothing || this.beginning.hasEarlierLife) return false;
    return !this.shards.some((shard) => this.remembers(shard));
  }

  private get hasPromisedNothing(): boolean {
    return this.shards.every(({ promise }) => promise.epoch === 0);
  }

  /** Looks whether all seats are new now. Where there were other seats before, these cannot tell. */
  noteBlanks(now: Instant): void {
    const { version } = this.set;
    if (this.beginning.everybodyWasBlank || version !== FIRST_VERSION || !this.isBlank) return;
    const lives = new Map(this.others.map((seat) => [seat, this.peers.incarnationOf(seat)]));
    if (!this.others.every((seat) => this.peers.isBlank(seat, version))) return;
    this.beginning.noteEverybodyBlank(lives);
    if (this.beginning.isFirst) this.letPreferredGoFirst(now);
  }

  /** A first owner must be the first candidate (F2). All seats are there, so it need not be one that is less preferred. */
  private letPreferredGoFirst(now: Instant): void {
    for (const shard of this.shards) {
      const patienceMs = FIRST_RANK_MS * shard.rankOf(this.me.seat);
      if (shard.role.kind === 'idle' && patienceMs > 0) this.idle(shard, instant(now + patienceMs));
    }
  }

  promisesFrom(shard: Shard): Instant {
    if (!this.isMember) return instant(Infinity);
    const { everybodyWasBlank, isFirst } = this.beginning;
    const life = { startedAt: this.startedAt, remembers: this.remembers(shard), everybodyWasBlank, isFirst };
    return this.rules.promisesFrom(life, this.timing);
  }

  mayPromise(shard: Shard, now: Instant): boolean {
    return this.heldBack === undefined && now >= this.promisesFrom(shard);
  }

  /** Who has forgotten which epochs there were promises only above all lives of seats that it knows. */
  epochFloor(shard: Shard): number {
    if (this.remembers(shard)) return 0;
    return Math.max(this.me.incarnation, ...this.others.map((seat) => this.peers.incarnationOf(seat)));
  }

  /**
   * What a candidate goes above. One that has forgotten takes its incarnation and the time since: as lives are numbered by
   * wall clocks, that is above all epochs that began with a life before, even of seats that it never heard of.
   */
  candidateFloor(shard: Shard, now: Instant): number {
    if (this.remembers(shard)) return 0;
    return Math.max(this.epochFloor(shard), this.me.incarnation + Math.floor(now - this.startedAt));
  }

  /** For how long nobody has held a promise of this seat. */
  quietMs(shard: Shard, now: Instant): number {
    return shard.promise.quietMs(instant(this.startedAt + promiseMs(this.timing)), now);
  }

  /** It wants nothing of a shard until `seekAt`. Candidates try in the order of preference, and not in step. */
  idle(shard: Shard, seekAt: Instant): void {
    const { backoffMs, backoffJitterMs } = this.timing;
    const rank = shard.rankOf(this.me.seat);
    this.isTouched = true;
    shard.role = { kind: 'idle', seekAt, backoffMs: rank * (backoffMs + backoffJitterMs * this.random()) };
  }

  nextRequest(): number {
    return ++this.lastRequest;
  }
}
