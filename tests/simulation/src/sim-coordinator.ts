import { type Instant, queryId as asQueryId, type QueryId, type Random } from '@tutti/base';
import {
  type CoordinatorReport,
  type GroupConfig,
  type GroupEvent,
  GroupTree,
  RefreshPace,
  type UsageSnapshot,
  type WaitExplanation,
} from '@tutti/resource-groups';
import type { SimNetwork } from './sim-network.js';
import type { SimAnswer, SimResourceManager } from './sim-resource-manager.js';
import { targetAt } from './sim-groups.js';
import type { VirtualTime } from './virtual-time.js';

export interface SimCoordinatorOptions {
  readonly id: string;
  /** Which life of the coordinator this is. */
  readonly incarnation: number;
  readonly config: GroupConfig;
  readonly workers: { readonly activeWorkers: number; readonly memoryBytes: number };
  readonly usageMaxAgeMs: number;
  readonly resourceManagers: readonly SimResourceManager[];
  readonly time: VirtualTime;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly onStart: (queryId: string) => void;
  readonly onReject: (queryId: string) => void;
  /** Falsifies answers: for worlds with a planted bug. */
  readonly tamper?: (usage: UsageSnapshot, now: Instant) => UsageSnapshot;
}

const HEARTBEAT_MS = 1_000;
const SOON_MS = 20;
const REFRESH_MS = 25;
const ASK_TIMEOUT_MS = 500;
const AVOID_MS = 1_000;

/** A coordinator: the real group tree in a shell like the real one, which can freeze and crash. */
export class SimCoordinator {
  readonly id: string;
  /** Marks the query ids of this life. */
  readonly queryIdSuffix: string;
  private readonly tree: GroupTree;
  private readonly waiting = new Map<string, { readonly path: string; readonly priority: number }>();
  private sequence = 0;
  private reportPending = false;
  private askInFlight: { readonly requestedAt: Instant } | undefined;
  private askWanted = false;
  private readonly avoidUntil = new Map<SimResourceManager, number>();
  private unavailableSince: Instant | undefined;
  private readonly pace = new RefreshPace(REFRESH_MS);
  private frozen: (() => void)[] | undefined;
  isUp = true;
  /** How many it has asked. */
  questions = 0;

  constructor(private readonly options: SimCoordinatorOptions) {
    this.id = options.id;
    this.queryIdSuffix = `${options.id.slice(-1)}${String(options.incarnation).padStart(4, 'a')}`;
    this.tree = new GroupTree({ config: options.config, usageMaxAgeMs: options.usageMaxAgeMs });
    this.tree.apply({ kind: 'clusterChanged', ...options.workers }, options.time.now());
    const beat = () => {
      this.report();
      this.later(HEARTBEAT_MS * (0.8 + 0.4 * options.random()), beat);
    };
    const tick = () => {
      if (this.tree.someoneWaits()) this.apply({ kind: 'tick' });
      this.later(this.pace.delayMs(options.time.now()), tick);
    };
    this.later(10 * options.random(), beat);
    this.later(REFRESH_MS * options.random(), tick);
  }

  submit(queryId: string, path: string, priority: number): void {
    this.whenAwake(() => {
      const target = targetAt(this.tree.config, path);
      this.waiting.set(queryId, { path, priority });
      this.apply({ kind: 'submitted', queryId: asQueryId(queryId), target, priority });
    });
  }

  /** What a running query holds now, and the CPU that it used in all. */
  use(queryId: string, memoryBytes: number, cpuMs: number): void {
    this.whenAwake(() => this.apply({ kind: 'used', queryId: asQueryId(queryId), memoryBytes, cpuMs }));
  }

  /** Other groups hold from now on. */
  reload(config: GroupConfig): void {
    this.whenAwake(() => this.apply({ kind: 'configured', config }));
  }

  finish(queryId: string): void {
    this.whenAwake(() => this.apply({ kind: 'finished', queryId: asQueryId(queryId) }));
  }

  explain(queryId: string): WaitExplanation | undefined {
    return this.tree.explain(asQueryId(queryId), this.options.time.now());
  }

  /** Stops in the middle of everything; what comes meanwhile is handled on waking, all at once. */
  freeze(forMs: number): void {
    this.frozen ??= [];
    this.options.time.after(forMs, () => {
      const missed = this.frozen ?? [];
      this.frozen = undefined;
      for (const action of missed) action();
    });
  }

  crash(): void {
    this.isUp = false;
  }

  private apply(event: GroupEvent): void {
    const now = this.options.time.now();
    if (event.kind === 'submitted') this.pace.moved(now);
    for (const effect of this.tree.apply(event, now)) {
      if (event.kind !== 'tick') this.pace.moved(now);
      if (effect.kind === 'start') this.options.onStart(effect.queryId);
      else if (effect.kind === 'reject') this.options.onReject(effect.queryId);
      else if (effect.kind === 'askUsage') this.ask();
      else this.resubmit(effect.queryId, effect.queuedSince);
    }
    if (event.kind !== 'tick' && event.kind !== 'usageUnavailable') this.reportSoon();
  }

  private resubmit(queryId: QueryId, queuedSince: Instant): void {
    const { path = '', priority = 1 } = this.waiting.get(queryId) ?? {};
    this.apply({ kind: 'submitted', queryId, target: targetAt(this.tree.config, path), priority, queuedSince });
  }

  private reportSoon(): void {
    if (this.reportPending) return;
    this.reportPending = true;
    this.later(SOON_MS, () => {
      this.reportPending = false;
      this.report();
    });
  }

  private report(): void {
    const report = this.nextReport();
    for (const manager of this.options.resourceManagers) this.options.network.send(() => manager.report(report));
  }

  private nextReport(): CoordinatorReport {
    const { id: coordinatorId, queryIdSuffix } = this;
    const { incarnation } = this.options;
    return { coordinatorId, incarnation, queryIdSuffix, sequence: ++this.sequence, groups: this.tree.counts() };
  }

  /** One question at a time. */
  private ask(): void {
    this.askWanted = true;
    if (this.askInFlight === undefined) this.askFirstOf(this.inOrder());
  }

  /** The resource managers in the order that all coordinators share; those that did not answer lately come last. */
  private inOrder(): SimResourceManager[] {
    const { resourceManagers, time } = this.options;
    const avoided = (manager: SimResourceManager) => (this.avoidUntil.get(manager) ?? 0) > time.now();
    return [...resourceManagers.filter((manager) => !avoided(manager)), ...resourceManagers.filter(avoided)];
  }

  private askFirstOf([manager, ...others]: readonly SimResourceManager[]): void {
    const { network, time } = this.options;
    this.askInFlight = undefined;
    if (manager === undefined) {
      this.unavailableSince ??= time.now();
      this.apply({ kind: 'usageUnavailable', since: this.unavailableSince });
      return; // The next tick asks again.
    }
    this.askWanted = false;
    this.questions++;
    const asked = { requestedAt: time.now() };
    this.askInFlight = asked;
    const report = this.nextReport();
    const fail = (): void => {
      if (this.askInFlight !== asked) return;
      this.avoidUntil.set(manager, time.now() + AVOID_MS);
      this.askFirstOf(others);
    };
    network.send(() => {
      const answer = manager.ask(report);
      if (answer === 'starting') network.send(() => this.whenAwake(fail));
      else if (answer !== undefined) network.send(() => this.whenAwake(() => this.hear(manager, asked, answer)));
    });
    this.later(ASK_TIMEOUT_MS, fail);
  }

  private hear(manager: SimResourceManager, asked: { readonly requestedAt: Instant }, answer: SimAnswer): void {
    if (this.askInFlight !== asked) return;
    this.askInFlight = undefined;
    this.unavailableSince = undefined;
    this.avoidUntil.delete(manager);
    this.pace.heard(answer, this.options.time.now());
    const { coordinators, knownRound, groups, cpu, answeredBy } = answer;
    const oldestDataAgeMs = Math.max(0, ...coordinators.map(({ ageMs }) => ageMs));
    const usage = {
      ...asked,
      answeredBy,
      knownRound,
      groups,
      cpu,
      oldestDataAgeMs,
      coordinatorCount: coordinators.length,
    };
    this.apply({ kind: 'usageArrived', usage: this.options.tamper?.(usage, this.options.time.now()) ?? usage });
    if (this.askWanted) this.ask();
  }

  private later(delayMs: number, action: () => void): void {
    this.options.time.after(delayMs, () => this.whenAwake(action));
  }

  private whenAwake(action: () => void): void {
    if (!this.isUp) return;
    if (this.frozen !== undefined) this.frozen.push(action);
    else action();
  }
}
