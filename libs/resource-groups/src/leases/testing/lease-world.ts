import { type Random, seededRandom } from '@tutti/base';
import type { GroupSpec } from '../../group-config.js';
import { VirtualTime } from '../../seats/testing/virtual-time.js';
import { LEASE_RULES, type LeaseRules, type LeaseTiming } from '../lease-timing.js';
import type { HolderEffect } from '../holder-events.js';
import type { Membership, OwnerEffect } from '../owner-events.js';
import { LeaseChecks } from './lease-checks.js';
import { SimCoordinator } from './sim-coordinator.js';
import { SimManager } from './sim-manager.js';
import { FaultyNetwork } from '../../testing/faulty-network.js';
import { CALM } from './lease-faults.js';
import type { SimQuery } from './sim-query.js';
import type { SimProcess } from './sim-process.js';
import { SimSeats } from './sim-seats.js';
import { SimWorker } from './sim-worker.js';

/** What there is to see. */
export type WorldEffect = HolderEffect | OwnerEffect | { readonly kind: 'started'; readonly query: SimQuery };

export interface LeaseWorldOptions {
  readonly seed: number;
  readonly timing: LeaseTiming;
  readonly rules?: LeaseRules;
  readonly rootGroups: readonly GroupSpec[];
  readonly coordinators: number;
  readonly workers: number;
  readonly managers: number;
  /** How far clocks may run wrong, as a part of true time. */
  readonly driftMax: number;
  /** Between the start of a query and the sending of its tasks goes by up to so much. */
  readonly placeMs?: number;
  /** Called for each effect of a holder or an owner. */
  readonly onEffect?: (process: SimProcess, effect: WorldEffect) => void;
}

const ANNOUNCE_MS = 250;
const MEMBERSHIP_MS = 500;
const PLACE_MS = 5;
/** A lowered limit counts for the checks once nothing that was dealt before can be left. */
const FORMER_LIMIT_MS = 20_000;

/** Real holders, owners and worker fences on a virtual clock and network. The seats are the world's. */
export class LeaseWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: FaultyNetwork;
  readonly seats = new SimSeats(this);
  readonly checks = new LeaseChecks(this);
  readonly seed: number;
  readonly timing: LeaseTiming;
  readonly rules: LeaseRules;
  readonly driftMax: number;
  readonly coordinators: SimCoordinator[];
  readonly workers: SimWorker[];
  readonly managers: SimManager[];
  copyMs = 2;
  /** Some copies take up to 300 ms longer. */
  slowCopyRate = 0.05;
  readonly placeMs: number;
  rootGroups: readonly GroupSpec[];
  /** Whether the present owner learned until nothing of its predecessors could be valid. */
  learnedByTime = false;
  private owning: { readonly manager: SimManager; readonly epoch: number } | undefined;
  private epoch = 0;
  /** Whether the seats keep all that owners have dealt. */
  private isLedgerComplete = false;
  private number = 0;
  private readonly limits = new Map<string, number>();
  private readonly formerLimits = new Map<string, { readonly limit: number }>();
  private readonly byPriority = new Set<string>();

  constructor(readonly options: LeaseWorldOptions) {
    this.seed = options.seed;
    this.timing = options.timing;
    this.rules = options.rules ?? LEASE_RULES;
    this.driftMax = options.driftMax;
    this.placeMs = options.placeMs ?? PLACE_MS;
    this.random = seededRandom(options.seed);
    this.network = new FaultyNetwork(this.random, CALM);
    this.rootGroups = options.rootGroups;
    const many = <T>(count: number, make: (index: number) => T): T[] =>
      Array.from({ length: count }, (_, at) => make(at));
    this.coordinators = many(options.coordinators, (at) => new SimCoordinator(this, `c${at + 1}`));
    this.workers = many(options.workers, (at) => new SimWorker(this, `w${at + 1}`));
    this.managers = many(options.managers, (at) => new SimManager(this, `m${at + 1}`));
    this.noteLimits();
  }

  start(): void {
    for (const process of [...this.managers, ...this.workers, ...this.coordinators]) process.start();
    const announce = (): void => {
      this.announce();
      this.time.after(ANNOUNCE_MS, announce);
    };
    const tellMembers = (): void => {
      const { owning } = this;
      owning?.manager.run(() => {
        if (this.isOwner(owning.manager)) owning.manager.apply(this.membership());
      });
      this.time.after(MEMBERSHIP_MS, tellMembers);
    };
    announce();
    tellMembers();
  }

  /** Another process owns the groups from now on. A majority of seats that restarted has forgotten a part. */
  elect(manager: SimManager, forgotten = 0): void {
    this.dethrone();
    if (!manager.isAlive) return;
    const epoch = ++this.epoch;
    this.seats.promise(epoch);
    if (forgotten > 0) this.seats.forget(forgotten);
    this.isLedgerComplete &&= forgotten === 0;
    this.owning = { manager, epoch };
    const mustLearnFully = !this.isLedgerComplete;
    const learnMs = this.timing.ttlMs * (1 + this.timing.margin);
    const electedAt = this.time.now;
    this.learnedByTime = false;
    this.time.after(learnMs, () => {
      this.learnedByTime ||= mustLearnFully && this.epoch === epoch && this.time.now - electedAt >= learnMs;
    });
    manager.run(() => {
      if (this.owning?.epoch !== epoch) return;
      manager.acquire({ kind: 'acquired', epoch, copies: this.seats.copies(), mustLearnFully, learnMs });
      this.announce();
    });
  }

  /** Nobody owns the groups. */
  dethrone(): void {
    this.owning?.manager.lose();
    this.owning = undefined;
  }

  get ownerProcess(): SimManager | undefined {
    return this.owning?.manager;
  }

  isOwner(manager: SimManager): boolean {
    return this.owning?.manager === manager;
  }

  learned(manager: SimManager): void {
    if (this.isOwner(manager)) this.isLedgerComplete = true;
  }

  resigned(manager: SimManager): void {
    const others = this.managers.filter((other) => other !== manager && other.isAlive && !other.isPaused);
    this.elect(others[0] ?? manager);
  }

  /** Somebody knows of a higher epoch. */
  stepAbove(manager: SimManager, epoch: number): void {
    if (!this.isOwner(manager)) return;
    this.epoch = Math.max(this.epoch, epoch);
    this.elect(manager);
  }

  configure(rootGroups: readonly GroupSpec[]): void {
    this.rootGroups = rootGroups;
    this.noteLimits();
    const owner = this.ownerProcess;
    owner?.run(() => {
      if (this.isOwner(owner)) owner.apply({ kind: 'configured', rootGroups });
    });
  }

  membership(): Membership {
    const living = <T extends SimProcess>(all: readonly T[]): T[] => all.filter(({ isAlive }) => isAlive);
    return {
      kind: 'membership',
      coordinators: living(this.coordinators).map(({ name, incarnation }) => ({ coordinatorId: name, incarnation })),
      workers: living(this.workers).map(({ name, incarnation }) => ({ workerId: name, incarnation })),
    };
  }

  coordinator(name: string): SimCoordinator {
    return named(this.coordinators, name);
  }

  worker(name: string): SimWorker {
    return named(this.workers, name);
  }

  manager(name: string): SimManager {
    return named(this.managers, name);
  }

  living(coordinatorId: string) {
    const { holder, isAlive, incarnation } = this.coordinator(coordinatorId);
    return { holder, isAlive, incarnation, now: this.coordinator(coordinatorId).now() };
  }

  everybody() {
    return this.coordinators.map((coordinator) => {
      const { holder, isAlive, name } = coordinator;
      const waiting = coordinator.waitingSince();
      return { holder, isAlive, name, now: coordinator.now(), waiting, groups: coordinator.groups() };
    });
  }

  /** The limit that must hold. */
  limitOf(group: string): number {
    return Math.max(this.presentLimitOf(group), this.formerLimits.get(group)?.limit ?? 0);
  }

  presentLimitOf(group: string): number {
    return this.limits.get(group) ?? 0;
  }

  goesByPriority(group: string): boolean {
    return this.byPriority.has(group);
  }

  nextNumber(): number {
    return ++this.number;
  }

  log(process: SimProcess, effect: WorldEffect): void {
    this.options.onEffect?.(process, effect);
  }

  private announce(): void {
    const { owning } = this;
    if (owning === undefined || !owning.manager.isAlive || owning.manager.isPaused) return;
    const { manager, epoch } = owning;
    for (const coordinator of this.coordinators) manager.send(coordinator, (to) => to.hearOwner(manager, epoch));
  }

  private noteLimits(): void {
    const before = new Map(this.limits);
    this.limits.clear();
    const note = (spec: GroupSpec): void => {
      const group = spec.template;
      this.limits.set(group, spec.hardConcurrencyLimit);
      if (spec.schedulingPolicy !== 'fair') this.byPriority.add(group);
      spec.subGroups.forEach(note);
    };
    this.rootGroups.forEach(note);
    for (const [group, limit] of before) {
      if (limit <= (this.limits.get(group) ?? 0)) continue;
      const former = { limit: Math.max(limit, this.formerLimits.get(group)?.limit ?? 0) };
      this.formerLimits.set(group, former);
      this.time.after(FORMER_LIMIT_MS, () => {
        if (this.formerLimits.get(group) === former) this.formerLimits.delete(group);
      });
    }
  }
}

function named<T extends SimProcess>(all: readonly T[], name: string): T {
  const found = all.find((process) => process.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}
