import { type Random, randomInt } from '@tutti/base';
import { groupSpec, type GroupSpec, type SchedulingPolicy } from '../../group-config.js';
import { LEASE_TIMING, type LeaseRules, type LeaseTiming } from '../lease-timing.js';
import type { LeaseChecks } from './lease-checks.js';
import { LeaseWorld } from './lease-world.js';
import type { SimProcess } from './sim-process.js';
import { GOOD, ROUGH } from './lease-faults.js';

export interface ChaosOptions {
  readonly rules?: LeaseRules;
  readonly stormMs?: number;
  readonly coordinators?: number;
  /** How long it takes until another seat keeps a copy. */
  readonly copyMs?: number;
  /** Limits change while it goes on. */
  readonly changesLimits?: boolean;
}

/** Times are shorter than in earnest, so that leases end and are ended often. */
const CHAOS_TIMING: LeaseTiming = {
  ...LEASE_TIMING,
  ...{ ttlMs: 2_000, renewMs: 400, answerMs: 500, lostWorkerWriteOffMs: 1e9, fenceKeptMs: 60_000 },
};

const CALM_MS = 12_000;
const WAITING_MAX = 5;
const DRAIN_MS = 90_000;
const LEAVES = ['a', 'b.x', 'b.y', 'c'];

/** A tree with every policy, with room for less than is asked of it. */
function groups(random: Random): GroupSpec[] {
  const policies: SchedulingPolicy[] = ['fair', 'weighted', 'weighted_fair', 'query_priority'];
  const policy = (): SchedulingPolicy => policies[randomInt(random, policies.length)] ?? 'fair';
  const spec = (name: string, template: string, limit: number, subGroups: GroupSpec[] = []): GroupSpec => ({
    ...groupSpec({
      name,
      template,
      hardConcurrencyLimit: limit,
      maxQueued: 1e6,
      schedulingPolicy: policy(),
      subGroups,
    }),
    ...{ schedulingWeight: 1 + randomInt(random, 3), guarantee: randomInt(random, 2) },
  });
  const under = [spec('x', 'b.x', 1 + randomInt(random, 4)), spec('y', 'b.y', 1 + randomInt(random, 6))];
  return [
    spec('a', 'a', 1 + randomInt(random, 8)),
    spec('b', 'b', 1 + randomInt(random, 6), under),
    spec('c', 'c', 2 + randomInt(random, 30)),
  ];
}

/** Runs one world: a storm of faults that follow from the seed, then calm, in which everything must come to its end. */
export function runChaos(seed: number, options: ChaosOptions = {}): LeaseChecks {
  return new Chaos(seed, options).run();
}

class Chaos {
  private readonly world: LeaseWorld;
  private readonly stormMs: number;
  private isOver = false;

  constructor(
    seed: number,
    private readonly options: ChaosOptions,
  ) {
    this.stormMs = options.stormMs ?? 14_000;
    const { rules, coordinators = 2 + (seed % 7) } = options;
    const sizes = { coordinators, workers: 1 + (seed % 3), managers: 3, driftMax: 0.04 };
    const given = { seed, timing: CHAOS_TIMING, rootGroups: [], ...sizes, ...(rules && { rules }) };
    this.world = new LeaseWorld(given);
    this.world.copyMs = options.copyMs ?? (seed % 4 === 0 ? 40 : 2);
    this.world.configure(groups(this.world.random));
  }

  run(): LeaseChecks {
    const { world, stormMs } = this;
    world.network.faults = GOOD;
    world.start();
    this.electSomebody(0);
    for (const coordinator of world.coordinators) this.arrive(coordinator.name);
    this.later(4_000, () => {
      world.network.faults = ROUGH;
      this.storm();
    });
    world.time.runUntil(stormMs);
    this.calm();
    // Who was cut off has come back, and what was dealt to silent lives is free again.
    world.time.runUntil(stormMs + CALM_MS / 2);
    this.watch();
    world.time.runUntil(stormMs + CALM_MS);
    this.isOver = true;
    const unended = () => world.coordinators.flatMap(({ queries }) => [...queries.values()]);
    while (unended().length > 0 && world.time.now < stormMs + CALM_MS + DRAIN_MS)
      world.time.runUntil(world.time.now + 1_000);
    const left = unended();
    if (left.length > 0) world.checks.fail(`A2: ${left.length} queries never end, ${left[0]?.id} is ${left[0]?.state}`);
    return world.checks;
  }

  private later(delayMs: number, action: () => void): void {
    this.world.time.after(delayMs, action);
  }

  /** Queries come to a coordinator, to some more than to others, now and then many at once. */
  private arrive(name: string): void {
    const { world } = this;
    if (this.isOver) return;
    const { random } = world;
    const coordinator = world.coordinator(name);
    const count = random() < 0.05 ? 10 : 1;
    for (let index = 0; index < count && !coordinator.isPaused && coordinator.isAlive; index++) {
      const group = LEAVES[randomInt(random, LEAVES.length)] ?? 'a';
      if (coordinator.waitingIn(group) >= WAITING_MAX) continue;
      const durationMs = (): number => (random() < 0.1 ? 3_000 : 700) * random();
      const stage = (): number[] => (random() < 0.7 ? [durationMs()] : [durationMs(), durationMs()]);
      coordinator.submit(group, random() < 0.7 ? [stage()] : [stage(), stage()], 1 + randomInt(random, 3));
    }
    const meanMs = 60 * world.coordinators.length * (name === 'c1' ? 0.3 : 1);
    this.later(-meanMs * Math.log(1 - random()), () => this.arrive(name));
  }

  private storm(): void {
    const { world } = this;
    if (world.time.now >= this.stormMs) return;
    const { random, network, coordinators, managers, workers } = world;
    const any = <T>(all: readonly T[]): T => all[randomInt(random, all.length)] as T;
    const everybody: readonly SimProcess[] = [...coordinators, ...managers, ...workers];
    const cutOff = (process: SimProcess, from: readonly SimProcess[]): void =>
      from.forEach(({ name }) => network.cut(process.name, name));
    const actions = [
      () => cutOff(any(coordinators), managers),
      () => cutOff(any(coordinators), managers),
      () => cutOff(any(coordinators), everybody),
      () => cutOff(any(managers), coordinators),
      () => cutOff(any(workers), everybody),
      () => network.cutOneWay(any(everybody).name, any(everybody).name),
      () => network.heal(),
      () => network.heal(),
      () => (network.faults = random() < 0.7 ? ROUGH : GOOD),
      () => this.crash(any(coordinators)),
      () => this.crash(any(coordinators)),
      () => this.crash(any(managers)),
      () => this.crashOwner(),
      () => this.crash(any(workers)),
      () => this.pause(any(coordinators)),
      () => this.pause(any(coordinators)),
      () => this.pause(any(managers)),
      () => this.pause(any(workers)),
      () => this.electSomebody(random() < 0.3 ? random() : 0),
      () => this.electSomebody(0),
      () => this.resign(),
      ...(this.options.changesLimits ? [() => world.configure(groups(random))] : []),
    ];
    any(actions)();
    this.later((world.seed % 3 === 0 ? 2_000 : 700) * random(), () => this.storm());
  }

  private electSomebody(forgotten: number): void {
    const { managers, random } = this.world;
    const awake = managers.filter(({ isAlive, isPaused }) => isAlive && !isPaused);
    const next = awake[randomInt(random, awake.length)];
    if (next !== undefined) this.world.elect(next, forgotten);
  }

  private resign(): void {
    const { world } = this;
    const owner = world.ownerProcess;
    owner?.run(() => {
      if (world.isOwner(owner)) owner.apply({ kind: 'resigning' });
    });
  }

  private crashOwner(): void {
    const { world } = this;
    const owner = world.ownerProcess;
    if (owner === undefined) return;
    this.crash(owner);
    this.later(1_000 * world.random(), () => this.electSomebody(world.random() < 0.2 ? 1 : 0));
  }

  private crash(process: SimProcess): void {
    const { world } = this;
    if (world.ownerProcess === process) world.dethrone();
    process.stop();
    this.later(world.random() < 0.5 ? 200 * world.random() : 3_000 * world.random(), () => {
      if (!process.isAlive) process.start();
    });
  }

  private pause(process: SimProcess): void {
    process.pause();
    this.later(5_000 * this.world.random(), () => process.resume());
  }

  private calm(): void {
    const { world } = this;
    world.network.heal();
    world.network.faults = GOOD;
    for (const process of [...world.coordinators, ...world.managers, ...world.workers]) {
      if (!process.isAlive) process.start();
      if (process.isPaused) process.resume();
    }
    if (world.ownerProcess === undefined) this.electSomebody(0);
  }

  /** A3 */
  private watch(): void {
    if (this.isOver) return;
    this.world.checks.checkHunger();
    this.later(100, () => this.watch());
  }
}
