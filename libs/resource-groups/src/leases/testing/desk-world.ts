import { nodeId, type Random, randomInt, seededRandom } from '@tutti/base';
import type { GroupSpec } from '../../group-config.js';
import { FIRST_VERSION, seatSet, type SeatSet } from '../../seats/seat-set.js';
import { VirtualTime } from '../../seats/testing/virtual-time.js';
import { FaultyNetwork } from '../../testing/faulty-network.js';
import type { DeskEffect, DeskMembership } from '../desk-events.js';
import type { HolderEffect } from '../holder-events.js';
import type { LeaseDeskOptions } from '../lease-desk.js';
import { DeskChecks } from './desk-checks.js';
import { DeskCoordinator } from './desk-coordinator.js';
import { DeskManager } from './desk-manager.js';
import { DeskWorker } from './desk-worker.js';
import { CALM } from './lease-faults.js';
import type { SimProcess } from './sim-process.js';

export type DeskWorldEffect =
  | HolderEffect
  | DeskEffect
  | { readonly kind: 'started'; readonly group: string }
  | { readonly kind: 'ended'; readonly how: string; readonly group: string };

export interface DeskWorldOptions {
  readonly seed: number;
  readonly rootGroups: readonly GroupSpec[];
  readonly coordinators: number;
  readonly workers: number;
  readonly managers: number;
  readonly driftMax: number;
  readonly isFirstStart: boolean;
  readonly tuning?: Pick<LeaseDeskOptions, 'timing' | 'rules' | 'seatTiming' | 'seatRules'>;
  readonly onEffect?: (process: SimProcess<DeskWorld>, effect: DeskWorldEffect) => void;
}

interface Breakable {
  readonly from: SimProcess<DeskWorld>;
  readonly to: SimProcess<DeskWorld>;
  break(): void;
}

/** After so long nothing is left of what a higher limit, or another mode, allowed. */
const FORMER_MS = 15_000;

/** Real desks, holders and fences on a virtual clock and network. */
export class DeskWorld {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: FaultyNetwork;
  readonly checks = new DeskChecks(this);
  readonly streams = new Set<Breakable>();
  readonly seed: number;
  readonly driftMax: number;
  readonly tuning: NonNullable<DeskWorldOptions['tuning']>;
  readonly coordinators: DeskCoordinator[];
  readonly workers: DeskWorker[];
  readonly managers: DeskManager[];
  readonly seatSet: SeatSet;
  isFirstStart: boolean;
  /** Somebody says what is not true, or starts without asking. */
  hasLiars = false;
  rootGroups: readonly GroupSpec[] = [];
  private queries = 0;
  private readonly checked = new Map<string, number>();

  constructor(private readonly options: DeskWorldOptions) {
    this.seed = options.seed;
    this.driftMax = options.driftMax;
    this.isFirstStart = options.isFirstStart;
    this.tuning = options.tuning ?? {};
    this.random = seededRandom(options.seed);
    this.network = new FaultyNetwork(this.random, CALM);
    const many = <T>(count: number, make: (index: number) => T): T[] =>
      Array.from({ length: count }, (_, at) => make(at));
    this.coordinators = many(options.coordinators, (at) => new DeskCoordinator(this, `c${at + 1}`));
    this.workers = many(options.workers, (at) => new DeskWorker(this, `w${at + 1}`));
    this.managers = many(options.managers, (at) => new DeskManager(this, `m${at + 1}`));
    this.seatSet = seatSet(
      FIRST_VERSION,
      this.managers.map(({ name }) => nodeId(name)),
    );
    this.configure(options.rootGroups);
  }

  get everybody(): SimProcess<DeskWorld>[] {
    return [...this.managers, ...this.workers, ...this.coordinators];
  }

  process(name: string): SimProcess<DeskWorld> {
    return named(this.everybody, name);
  }

  coordinator(name: string): DeskCoordinator {
    return named(this.coordinators, name);
  }

  worker(name: string): DeskWorker {
    return named(this.workers, name);
  }

  manager(name: string): DeskManager {
    return named(this.managers, name);
  }

  anyWorker(): DeskWorker {
    const living = this.workers.filter(({ isAlive }) => isAlive);
    const among = living.length > 0 ? living : this.workers;
    return among[randomInt(this.random, among.length)] as DeskWorker;
  }

  /** All processes read other root groups. */
  configure(rootGroups: readonly GroupSpec[]): void {
    this.rootGroups = rootGroups;
    const former = new Map(this.checked);
    this.checked.clear();
    const note = (spec: GroupSpec, isLeased: boolean): void => {
      const limit = isLeased ? spec.hardConcurrencyLimit : Infinity;
      this.checked.set(spec.template, limit);
      spec.subGroups.forEach((sub) => note(sub, isLeased));
    };
    for (const root of rootGroups) note(root, root.admissionMode === 'leased');
    for (const [group, limit] of this.checked) {
      if (limit >= (former.get(group) ?? (this.time.now > 0 ? Infinity : 0))) continue;
      this.checked.delete(group);
      this.time.after(FORMER_MS, () => {
        if (this.rootGroups === rootGroups) this.checked.set(group, limit);
      });
    }
    for (const manager of this.managers)
      manager.run(() => manager.apply({ kind: 'configured', config: { rootGroups, selectors: [] } }));
  }

  /** The limits that must hold now. */
  limits(): Iterable<[group: string, limit: number]> {
    return this.checked;
  }

  templateOf(group: string): string {
    const isKnown = (spec: GroupSpec): boolean => spec.template === group || spec.subGroups.some(isKnown);
    if (this.rootGroups.some(isKnown)) return group;
    return this.rootGroups.find(({ isDynamic }) => isDynamic)?.template ?? group;
  }

  membership(): DeskMembership {
    const living = <T extends SimProcess<DeskWorld>>(all: readonly T[]): T[] => all.filter(({ isAlive }) => isAlive);
    return {
      kind: 'membership',
      coordinators: living(this.coordinators).map(({ name, incarnation }) => ({ coordinatorId: name, incarnation })),
      workers: living(this.workers).map(({ name, incarnation }) => ({ workerId: name, incarnation })),
    };
  }

  /** A process is gone, and all its streams with it. */
  breakStreams(process: SimProcess<DeskWorld>): void {
    for (const stream of [...this.streams]) if (stream.from === process || stream.to === process) stream.break();
  }

  nextQueryId(coordinatorId: string): string {
    return `${coordinatorId}.${++this.queries}`;
  }

  log(process: SimProcess<DeskWorld>, effect: DeskWorldEffect): void {
    this.options.onEffect?.(process, effect);
  }
}

function named<T extends SimProcess<DeskWorld>>(all: readonly T[], name: string): T {
  const found = all.find((process) => process.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}
