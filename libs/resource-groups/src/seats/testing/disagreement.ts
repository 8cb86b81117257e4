// Resource managers with lists of seats that contradict each other, in one network that is whole.
import { nodeId, randomInt } from '@tutti/base';
import { judgeSeats, type SeatReport } from '../seat-agreement.js';
import type { HeldBack } from '../seat-events.js';
import { seatSet, type SeatSet } from '../seat-set.js';
import type { SeatId } from '../shard.js';
import { Violation } from './seat-checks.js';
import { GOOD } from './seat-faults.js';
import { type SeatNode, SeatWorld } from './seat-world.js';

const SHARD_COUNT = 3;
const REPORT_MS = 1_000;
const REPORT_DELAY_MS = 300;
/** Who is not heard for so long is forgotten. */
const FORGET_MS = 10_000;
const LOOK_AROUND_MS = 2_500;
const STORM_MS = 60_000;
/** Forgotten, held back no more, begun anew, and learned. */
const SETTLE_MS = FORGET_MS + 3 * REPORT_MS + 11_000 + 11_000 + 3_000;

/** How wrong the configuration is. */
export type Wrong = 'eachAlone' | 'oneStray' | 'replaced' | 'anything';

export interface Disagreement {
  /** How often some shard came to be dealt. */
  readonly deals: number;
  /** How often a seat was held back. */
  readonly holds: number;
}

/**
 * Runs resource managers that crash and come back with lists that are wrong in some way. No two of them deal one shard at any
 * instant. Then they stay up; some side that has a majority of its list, and no other, deals everything: returned is what
 * happened. Throws Violation.
 */
export function runDisagreement(seed: number, wrong: Wrong): Disagreement {
  return new Disagreeing(seed, wrong).run();
}

class Disagreeing {
  private readonly members = new Map<SeatId, Member>();
  private readonly world: SeatWorld;
  deals = 0;
  holds = 0;

  constructor(
    private readonly seed: number,
    private readonly wrong: Wrong,
  ) {
    this.world = new SeatWorld({
      ...{ seed, shardCount: SHARD_COUNT, driftMax: 0.05 },
      onEffect: () => undefined,
      onStep: () => this.checkDealers(),
    });
    this.world.network.faults = GOOD;
  }

  run(): Disagreement {
    const { world } = this;
    const ids = ['a', 'b', 'c', 'd'].map(nodeId);
    for (const id of ids) this.members.set(id, new Member(this, world, world.node(id)));
    for (const id of ids) world.time.after(3_000 * world.random(), () => this.start(id));
    this.storm(ids);
    world.time.runUntil(STORM_MS);
    for (const id of ids) if (world.node(id).machine === undefined) this.start(id);
    world.time.runUntil(STORM_MS + SETTLE_MS);
    this.checkCalm();
    return { deals: this.deals, holds: this.holds };
  }

  others(member: Member): Member[] {
    return [...this.members.values()].filter((other) => other !== member);
  }

  private storm(ids: readonly SeatId[]): void {
    const { world } = this;
    const id = ids[randomInt(world.random, ids.length)];
    if (world.time.now >= STORM_MS || id === undefined) return;
    if (world.time.now > 5_000) {
      world.node(id).stop();
      const awayMs = world.random() < 0.5 ? 500 * world.random() : 15_000 * world.random();
      world.time.after(awayMs, () => {
        if (world.node(id).machine === undefined) this.start(id);
      });
    }
    world.time.after(12_000 * world.random(), () => this.storm(ids));
  }

  private start(id: SeatId): void {
    this.members.get(id)?.start(this.listOf(id));
  }

  private listOf(id: SeatId): SeatSet {
    const { world } = this;
    const of = (version: number, ...seats: string[]): SeatSet => seatSet(version, seats.map(nodeId));
    if (this.wrong === 'eachAlone') return of(1, id);
    if (this.wrong === 'oneStray') return id === 'd' ? of(2, 'd') : of(1, 'a', 'b', 'c');
    if (this.wrong === 'replaced') {
      const isNew = id === 'd' || (id !== 'c' && world.time.now > 20_000);
      return isNew ? of(2, 'a', 'b', 'd') : of(1, 'a', 'b', 'c');
    }
    const seats = ['a', 'b', 'c', 'd'].filter((other) => other === id || world.random() < 0.5);
    return of(1 + randomInt(world.random, 3), ...seats);
  }

  private checkDealers(): void {
    for (let shard = 0; shard < SHARD_COUNT; shard++) {
      const dealers = [...this.members.values()].filter((member) => member.deals(shard));
      if (dealers.length > 1)
        throw new Violation(
          `seed ${this.seed}: ${dealers.map(({ text }) => text).join(' and ')} deal shard ${shard} at ${this.world.time.now}`,
        );
    }
  }

  /** Whoever is not held back, and has a majority, deals; of contradicting sides at most one. */
  private checkCalm(): void {
    const dealt = Array.from({ length: SHARD_COUNT }, (_, shard) =>
      [...this.members.values()].some((member) => member.deals(shard)),
    );
    this.deals += dealt.filter(Boolean).length;
    if (this.wrong !== 'anything' && dealt.includes(false))
      throw new Violation(`seed ${this.seed}: nobody deals ${dealt.indexOf(false)} though one side may`);
  }
}

/** A resource manager: what it hears of others, and what it makes of that. */
class Member {
  private set: SeatSet = seatSet(1, [nodeId('a')]);
  private reports = new Map<SeatId, { readonly report: SeatReport; readonly at: number }>();
  private told: HeldBack | undefined;
  private isIdle = true;
  private life = 0;

  constructor(
    private readonly cluster: Disagreeing,
    private readonly world: SeatWorld,
    private readonly node: SeatNode,
  ) {}

  get text(): string {
    return `${this.node.seat} of ${this.set.seats.join('')} (version ${this.set.version})`;
  }

  /** It owns the shard, and knows what was dealt before. */
  deals(shard: number): boolean {
    const { machine, owned } = this.node;
    return (machine?.owns(shard, this.node.now()) && owned.get(shard)?.isLearned) ?? false;
  }

  /** Who is its only seat says that this is the first start. */
  start(set: SeatSet): void {
    this.set = set;
    this.reports = new Map();
    const life = ++this.life;
    const startedAt = this.world.time.now;
    const isAlone = set.seats.length === 1;
    this.told = isAlone ? 'lookingAround' : undefined;
    this.node.start(set, isAlone, this.told);
    const loop = (): void => {
      if (life !== this.life || this.node.machine === undefined) return;
      this.look(startedAt);
      this.report();
      this.world.time.after(REPORT_MS, loop);
    };
    loop();
  }

  private look(startedAt: number): void {
    const { world, node, set } = this;
    const { machine } = node;
    if (machine === undefined) return;
    const others = [...this.reports.values()].filter(({ at }) => world.time.now - at < FORGET_MS);
    const [isReady, owns] = [machine.isReady(node.now()), node.owned.size > 0];
    const own = { nodeId: node.seat, incarnation: node.incarnation, seats: set, isReady, owns };
    const judgement = judgeSeats(
      own,
      others.map(({ report }) => report),
    );
    this.isIdle = judgement.isIdle;
    const looksAround = set.seats.length === 1 && world.time.now - startedAt < LOOK_AROUND_MS;
    const why = judgement.isHeldBack ? 'seatsDisagree' : looksAround ? 'lookingAround' : undefined;
    if (why === this.told) return;
    this.told = why;
    if (why === 'seatsDisagree') this.cluster.holds++;
    node.holdBack(why);
  }

  private report(): void {
    const { node, set, isIdle, world } = this;
    const report = {
      nodeId: node.seat,
      incarnation: node.incarnation,
      seats: set,
      isIdle,
      isHeldBack: this.told === 'seatsDisagree',
    };
    for (const other of this.cluster.others(this))
      world.time.after(REPORT_DELAY_MS * world.random(), () => other.hear(report));
  }

  private hear(report: SeatReport): void {
    this.reports.set(report.nodeId, { report, at: this.world.time.now });
  }
}
