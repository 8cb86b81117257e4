import { type Random, randomInt } from '@tutti/base';
import { type AdmissionMode, groupSpec, type GroupSpec } from '../../group-config.js';
import { SEAT_TIMING, type SeatTiming } from '../../seats/seat-rules.js';
import { LEASE_TIMING, type LeaseRules, type LeaseTiming } from '../lease-timing.js';
import type { DeskChecks } from './desk-checks.js';
import type { DeskManager } from './desk-manager.js';
import { DeskWorld } from './desk-world.js';
import { GOOD, ROUGH } from './lease-faults.js';
import type { SimProcess } from './sim-process.js';

/** Times are shorter than in earnest, so that leases end and are ended often. */
const TIMING: LeaseTiming = {
  ...LEASE_TIMING,
  ...{ ttlMs: 2_000, renewMs: 400, answerMs: 500, lostWorkerWriteOffMs: 1e9, fenceKeptMs: 60_000 },
};
const SEATS: SeatTiming = {
  ...SEAT_TIMING,
  ...{ seatLeaseTtlMs: 900, renewMs: 300, holdingTtlMs: 2_000, rebalanceMs: 300, rebalanceAfterMs: 2_000 },
};

const CALM_MS = 500;
const DRAIN_MS = 40_000;
const WAITING_MAX = 4;
const LEAVES = ['a', 'b.x', 'b.y', 'c', 'u-1', 'u-2'];

/** With a name that has variables every shard has groups, and there is far more to do. */
function groups(random: Random, hasVariables: boolean, modes: readonly AdmissionMode[] = ['leased']): GroupSpec[] {
  const spec = (template: string, limit: number, subGroups: GroupSpec[] = []): GroupSpec => {
    const name = template.split('.').at(-1) ?? '';
    return groupSpec({ name, template, hardConcurrencyLimit: limit, maxQueued: 1e6, subGroups });
  };
  const under = [spec('b.x', 1 + randomInt(random, 3)), spec('b.y', 1 + randomInt(random, 4))];
  const roots = [
    spec('a', 1 + randomInt(random, 5)),
    spec('b', 1 + randomInt(random, 5), under),
    spec('c', 2 + randomInt(random, 12)),
    ...(hasVariables ? [spec('u-${USER}', 2 + randomInt(random, 4))] : []),
  ];
  return roots.map((root) => ({ ...root, admissionMode: modes[randomInt(random, modes.length)] ?? 'leased' }));
}

/** Runs one world of desks: a storm of faults that follow from the seed, then calm, in which everything must end. */
export function runDeskChaos(seed: number, rules?: LeaseRules): DeskChecks {
  return new DeskChaos(seed, rules).run();
}

class DeskChaos {
  private readonly world: DeskWorld;
  private readonly stormMs = 4_500;
  private isOver = false;

  constructor(seed: number, rules: LeaseRules | undefined) {
    const sizes = { coordinators: 2 + (seed % 2), workers: 1 + (seed % 2), managers: seed % 5 === 0 ? 1 : 3 };
    const tuning = { timing: TIMING, seatTiming: SEATS, ...(rules && { rules }) };
    const start = { driftMax: 0.04, isFirstStart: seed % 4 !== 0, tuning };
    this.world = new DeskWorld({ seed, rootGroups: [], ...sizes, ...start });
    this.world.configure(this.groups());
  }

  run(): DeskChecks {
    const { world, stormMs } = this;
    world.network.faults = GOOD;
    for (const process of world.everybody) this.later(200 * world.random(), () => process.start());
    for (const { name } of world.coordinators) this.arrive(name);
    this.later(500 + 1_500 * world.random(), () => this.storm());
    this.later(1_500, () => (world.isFirstStart = false));
    world.time.runUntil(stormMs);
    this.calm();
    world.time.runUntil(stormMs + CALM_MS);
    this.isOver = true;
    while (this.left() > 0 && world.time.now < stormMs + CALM_MS + DRAIN_MS) world.time.runUntil(world.time.now + 500);
    if (this.left() > 0) world.checks.fail(`A2: ${this.left()} queries never end`);
    return world.checks;
  }

  private groups(modes?: readonly AdmissionMode[]): GroupSpec[] {
    return groups(this.world.random, this.world.seed % 5 === 1, modes);
  }

  private left(): number {
    let count = 0;
    for (const { running, leaves } of this.world.coordinators) {
      count += running.size;
      for (const { waiting } of leaves.values()) count += waiting.length;
    }
    return count;
  }

  private later(delayMs: number, action: () => void): void {
    this.world.time.after(delayMs, action);
  }

  private arrive(name: string): void {
    const { world } = this;
    if (this.isOver) return;
    const { random } = world;
    const coordinator = world.coordinator(name);
    for (let count = random() < 0.1 ? 6 : 1; count > 0 && coordinator.isAlive && !coordinator.isPaused; count--) {
      const group = LEAVES[randomInt(random, world.seed % 5 === 1 ? 6 : 4)] ?? 'a';
      if ((coordinator.leaves.get(group)?.waiting.length ?? 0) >= WAITING_MAX) continue;
      coordinator.submit(group, (random() < 0.1 ? 2_000 : 500) * random());
    }
    this.later(-120 * Math.log(1 - random()), () => this.arrive(name));
  }

  private storm(): void {
    const { world } = this;
    if (world.time.now >= this.stormMs) return;
    const { random, network, coordinators, managers, workers, everybody } = world;
    const any = <T>(all: readonly T[]): T => all[randomInt(random, all.length)] as T;
    const cutOff = (process: SimProcess<DeskWorld>, from: readonly SimProcess<DeskWorld>[]): void =>
      from.forEach(({ name }) => network.cut(process.name, name));
    const actions = [
      () => cutOff(any(coordinators), managers),
      () => cutOff(any(managers), everybody),
      () => cutOff(any(managers), managers),
      () => cutOff(any(workers), everybody),
      () => network.cutOneWay(any(everybody).name, any(everybody).name),
      () => network.heal(),
      () => network.heal(),
      () => (network.faults = random() < 0.6 ? ROUGH : GOOD),
      () => this.crash(any(coordinators)),
      () => this.crash(any(managers)),
      () => this.crash(any(managers)),
      () => this.crash(any(workers)),
      () => this.pause(any(coordinators)),
      () => this.pause(any(managers)),
      () => this.rollOver(any(managers)),
      () => this.rollOver(any(managers)),
      () => this.suspend(any(managers)),
      () => world.configure(this.groups(random() < 0.5 ? ['leased'] : ['leased', 'leased', 'gated'])),
    ];
    any(actions)();
    this.later(800 * random(), () => this.storm());
  }

  private crash(process: SimProcess<DeskWorld>): void {
    const { world } = this;
    process.stop();
    this.later(world.random() < 0.5 ? 200 * world.random() : 3_000 * world.random(), () => {
      if (!process.isAlive) process.start();
    });
  }

  private pause(process: SimProcess<DeskWorld>): void {
    process.pause();
    this.later(4_000 * this.world.random(), () => process.resume());
  }

  private rollOver(manager: DeskManager): void {
    manager.run(() => manager.apply({ kind: 'drain' }));
    this.later(1_500 * this.world.random(), () => this.crash(manager));
  }

  private suspend(manager: DeskManager): void {
    manager.run(() => manager.apply({ kind: 'overslept' }));
  }

  private calm(): void {
    const { world } = this;
    world.network.heal();
    world.network.faults = GOOD;
    world.configure(this.groups());
    for (const process of world.everybody) {
      if (process.isPaused) process.resume();
      // One that was told to stop deals no more.
      if (process.isAlive && world.managers.some((manager) => manager === process)) process.stop();
      if (!process.isAlive) process.start();
    }
  }
}
