import { nodeId, randomInt } from '@tutti/base';
import type { SeatRules } from '../seat-rules.js';
import { seatSet, type SeatSet } from '../seat-set.js';
import type { SeatId } from '../shard.js';
import { SeatChecks, Violation } from './seat-checks.js';
import { GOOD, ROUGH } from './seat-faults.js';
import { bytesOf, SeatWorld } from './seat-world.js';

export interface ChaosOptions {
  readonly rules?: SeatRules;
  /** Otherwise it follows from the seed. */
  readonly seatCount?: number;
  readonly stormMs?: number;
  /** All starts are vouched for as the first one of the cluster. */
  readonly isAlwaysFirst?: boolean;
  /** Seats are added and taken away one by one, or several at once. */
  readonly changesSeats?: 'oneByOne' | 'severalAtOnce';
}

const SHARD_COUNT = 3;
const KEYS = ['a/etl', 'a/adhoc', 'b/etl', 'b/adhoc', 'c/etl'];
/** Clocks that run slow or fast by the margin, the wait of a restarted seat, two seat leases and a back-off. */
export const SETTLE_MS = (10_500 + 2 * 3_150 + 1_000) / 0.95;

/** A calm network and two exchanges take less. */
const HAND_OVER_MS = 100;

/** Runs one world: a storm of faults that follow from the seed, then calm, in which every shard must have an owner. */
export function runChaos(seed: number, options: ChaosOptions = {}): SeatChecks {
  return new Chaos(seed, options).run();
}

class Chaos {
  private readonly checks = new SeatChecks(() => this.world);
  private readonly world: SeatWorld;
  private readonly stormMs: number;
  private set: SeatSet;
  private everySeat: readonly SeatId[];
  private changedAt = 0;

  constructor(
    private readonly seed: number,
    private readonly options: ChaosOptions,
  ) {
    const { rules, seatCount = [3, 5, 3, 2, 3, 4, 3, 1][seed % 8] ?? 3, stormMs = 36_000 } = options;
    this.stormMs = stormMs;
    this.world = new SeatWorld({
      ...{ seed, shardCount: SHARD_COUNT, driftMax: 0.05, ...(rules && { rules }) },
      onEffect: (node, effect) => this.checks.onEffect(node, effect),
      onStep: () => this.checks.afterStep(),
    });
    this.everySeat = ['a', 'b', 'c', 'd', 'e'].slice(0, seatCount).map(nodeId);
    this.set = seatSet(1, this.everySeat);
  }

  run(): SeatChecks {
    const { world } = this;
    try {
      for (const seat of this.everySeat) this.later(2_000 * world.random(), () => this.start(seat));
      this.write();
      // Quiet at first in every other world, so that the storm meets seats that know something.
      this.later(this.seed % 2 === 0 ? 16_000 : 0, () => {
        world.network.faults = ROUGH;
        this.storm();
      });
      world.time.runUntil(this.stormMs);
      this.calm();
      world.time.runUntil(this.stormMs + SETTLE_MS);
      this.checkOwners();
    } catch (error) {
      if (error instanceof Violation) throw new Violation(`seed ${this.seed}: ${error.message}`, { cause: error });
      throw error;
    }
    return this.checks;
  }

  private later(delayMs: number, action: () => void): void {
    this.world.time.after(delayMs, action);
  }

  /** Owners copy, all the time. */
  private write(): void {
    const { world, checks } = this;
    const shard = randomInt(world.random, SHARD_COUNT);
    const key = KEYS[randomInt(world.random, KEYS.length)] ?? '';
    const value = world.random() < 0.2 ? undefined : String(world.time.now);
    for (const node of world.nodes.values()) {
      const owned = node.owned.get(shard);
      if (owned === undefined || node.isPaused) continue;
      const payload = value === undefined ? undefined : bytesOf(value);
      checks.offer(shard, { key, epoch: owned.epoch, seq: owned.seq + 1, payload });
      node.copy(shard, key, value);
    }
    this.later(700 * world.random(), () => this.write());
  }

  private storm(): void {
    const { world, everySeat } = this;
    if (world.time.now >= this.stormMs) return;
    const { random, network } = world;
    const seat = everySeat[randomInt(random, everySeat.length)];
    if (seat === undefined) return;
    const node = world.node(seat);
    const actions = [
      () => network.split(everySeat, this.parts()),
      () => this.isolateOwner(),
      () => this.isolateOwner(),
      () => network.heal(),
      () => network.cutOneWay(seat, everySeat[randomInt(random, everySeat.length)] ?? seat),
      () => (network.faults = random() < 0.7 ? ROUGH : GOOD),
      () => this.crash(seat),
      () => this.crash(seat),
      () => this.pause(seat),
      () => this.holdBack(seat),
      () => node.apply({ kind: 'resign', shard: randomInt(random, SHARD_COUNT) }),
      () => this.rollOver(seat),
      ...(this.options.changesSeats === 'oneByOne' ? [() => this.changeSeats(), () => this.changeSeats()] : []),
      ...(this.options.changesSeats === 'severalAtOnce' ? [() => this.replaceSeats()] : []),
    ];
    actions[randomInt(random, actions.length)]?.();
    this.later((this.seed % 3 === 0 ? 8_000 : 2_500) * random(), () => this.storm());
  }

  /** The others can make another owner, while this one hears late news only. */
  private isolateOwner(): void {
    const owner = this.world.ownersOf(randomInt(this.world.random, SHARD_COUNT))[0]?.seat;
    if (owner === undefined) return;
    this.world.network.split(this.everySeat, [[owner], this.everySeat.filter((seat) => seat !== owner)]);
  }

  private parts(): SeatId[][] {
    const parts: SeatId[][] = [[], [], []];
    const count = this.world.random() < 0.7 ? 2 : 3;
    for (const seat of this.everySeat) parts[randomInt(this.world.random, count)]?.push(seat);
    return parts;
  }

  /** It hears of seats that contradict its own, and for how long. */
  private holdBack(seat: SeatId): void {
    this.world.node(seat).holdBack('seatsDisagree');
    this.later(8_000 * this.world.random(), () => this.world.node(seat).holdBack());
  }

  private crash(seat: SeatId): void {
    const { random } = this.world;
    this.world.node(seat).stop();
    this.later(random() < 0.5 ? 300 * random() : 9_000 * random(), () => {
      if (this.world.node(seat).machine === undefined) this.start(seat);
    });
  }

  private start(seat: SeatId): void {
    this.world.node(seat).start(this.set, this.options.isAlwaysFirst);
  }

  private pause(seat: SeatId): void {
    this.world.node(seat).pause();
    this.later(6_000 * this.world.random(), () => this.world.node(seat).resume());
  }

  /** A restart in good order. */
  private rollOver(seat: SeatId): void {
    this.world.node(seat).apply({ kind: 'drain' });
    this.later(500 * this.world.random(), () => {
      if (this.world.time.now < this.stormMs) this.crash(seat);
      else this.start(seat);
    });
  }

  /** One seat more or less. Some seats hear of it late, but before the next change. */
  private changeSeats(): void {
    const { world, set } = this;
    if (world.time.now - this.changedAt < 6_000) return;
    const spare = ['a', 'b', 'c', 'd', 'e'].map(nodeId).find((seat) => !set.seats.includes(seat));
    const grows = spare !== undefined && (set.seats.length < 2 || world.random() < 0.5);
    const gone = set.seats[randomInt(world.random, set.seats.length)];
    const seats = grows ? [...set.seats, spare] : set.seats.filter((seat) => seat !== gone);
    this.useSet(seatSet(set.version + 1, seats), 2_000);
  }

  /** Any other seats, most of them new perhaps. All that were seats before hear of it within a holding TTL. */
  private replaceSeats(): void {
    const { world, set } = this;
    if (world.time.now - this.changedAt < 15_000) return;
    const shuffled = [...set.seats, ...['f', 'g', 'h', 'i', 'j'].map(nodeId)].sort(() => world.random() - 0.5);
    this.useSet(seatSet(set.version + 1, [...new Set(shuffled)].slice(0, 1 + randomInt(world.random, 4))), 9_000);
  }

  private useSet(next: SeatSet, heardWithinMs: number): void {
    const { world } = this;
    this.changedAt = world.time.now;
    const former = [...world.nodes.values()];
    this.set = next;
    this.everySeat = [...new Set([...this.everySeat, ...next.seats])];
    for (const seat of next.seats) if (!former.some((node) => node.seat === seat)) world.node(seat).start(next);
    for (const node of former)
      this.later(heardWithinMs * world.random(), () => {
        // It reads the new configuration even when it stands still at the moment.
        if (node.isPaused) node.resume();
        node.changeSeats(next);
      });
  }

  /** All faults end; who is away comes back, who is paused goes on. */
  private calm(): void {
    const { world } = this;
    world.network.heal();
    world.network.faults = GOOD;
    for (const node of world.nodes.values()) {
      if (node.isPaused) node.resume();
      if (node.machine === undefined) node.start(this.set);
      node.changeSeats(this.set);
    }
  }

  /** S4: with all seats up and connected, every shard has an owner, or is being handed over. */
  private checkOwners(): void {
    const ownerless = (): number[] =>
      [...Array(SHARD_COUNT).keys()].filter((shard) => this.world.ownersOf(shard).length === 0);
    const before = ownerless();
    this.world.time.runUntil(this.world.time.now + HAND_OVER_MS);
    const still = ownerless().filter((shard) => before.includes(shard));
    if (still.length > 0) throw new Violation(`S4: nobody owns shard ${still.join(', ')} after the calm`);
  }
}
