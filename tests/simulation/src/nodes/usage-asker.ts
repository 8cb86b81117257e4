import { type Instant, instant } from '@tutti/base';
import { RefreshPace } from '@tutti/resource-groups';
import type { SimWorld } from '../world/sim-world.js';
import { type SimCoordinator } from './sim-coordinator.js';
import type { SimAnswer, SimResourceManager } from './sim-resource-manager.js';

const REFRESH_MS = 25;
/** How often Presto asks: `resource-group-runtimeinfo-refresh-interval`. */
const PRESTO_REFRESH_MS = 100;
const IDLE_MS = 100;
const ASK_TIMEOUT_MS = 500;
const AVOID_MS = 1_000;

/** Brings the usage of the other coordinators: one question at a time, to the first resource manager that answers. */
export class UsageAsker {
  questions = 0;
  private readonly pace = new RefreshPace(REFRESH_MS);
  private readonly avoidUntil = new Map<SimResourceManager, number>();
  private unavailableSince: Instant | undefined;
  private askedLast: Instant = instant(-Infinity);
  private inFlight: { readonly requestedAt: Instant } | undefined;
  private isWanted = false;

  constructor(
    private readonly world: SimWorld,
    private readonly owner: SimCoordinator,
  ) {}

  begin(): void {
    const { owner } = this;
    const isPresto = this.world.plan.mode === 'presto';
    const tick = (): void => {
      const wants = owner.tree.wantsUsage();
      if (wants || owner.tree.someoneWaits()) owner.apply({ kind: 'tick' });
      const paceMs = wants ? this.pace.delayMs(owner.now()) : IDLE_MS;
      owner.after(isPresto ? PRESTO_REFRESH_MS * (0.5 + this.world.random()) : paceMs, tick);
    };
    owner.after(REFRESH_MS * this.world.random(), tick);
  }

  /** Something happened here. */
  moved(): void {
    this.pace.moved(this.owner.now());
  }

  ask(): void {
    this.isWanted = true;
    if (this.inFlight !== undefined) return;
    // Never two questions at one moment of the clock: an answer counts for what came before its question.
    if (this.owner.now() <= this.askedLast) this.owner.after(1, () => this.ask());
    else this.askFirstOf(this.inOrder());
  }

  /** The order that all coordinators share; those that did not answer lately come last. */
  private inOrder(): SimResourceManager[] {
    const { resourceManagers } = this.world;
    const isAvoided = (manager: SimResourceManager) => (this.avoidUntil.get(manager) ?? 0) > this.owner.now();
    return [...resourceManagers.filter((each) => !isAvoided(each)), ...resourceManagers.filter(isAvoided)];
  }

  private askFirstOf([manager, ...others]: readonly SimResourceManager[]): void {
    const { world, owner } = this;
    const { network } = world;
    this.inFlight = undefined;
    if (manager === undefined) {
      this.unavailableSince ??= owner.now();
      owner.apply({ kind: 'usageUnavailable', since: this.unavailableSince });
      return; // The next tick asks again.
    }
    this.isWanted = false;
    this.questions++;
    world.usageMessages += 2;
    const asked = { requestedAt: (this.askedLast = owner.now()) };
    this.inFlight = asked;
    const report = owner.nextReport();
    const fail = (): void => {
      if (this.inFlight !== asked) return;
      this.avoidUntil.set(manager, owner.now() + AVOID_MS);
      this.askFirstOf(others);
    };
    network.send(owner, manager, () => {
      const answer = manager.ask(report);
      network.send(manager, owner, () => (answer === undefined ? fail() : this.hear(manager, asked, answer)));
    });
    owner.after(ASK_TIMEOUT_MS, fail);
  }

  private hear(manager: SimResourceManager, asked: { readonly requestedAt: Instant }, answer: SimAnswer): void {
    if (this.inFlight !== asked) return;
    const { owner } = this;
    this.inFlight = undefined;
    this.unavailableSince = undefined;
    this.avoidUntil.delete(manager);
    this.pace.heard(answer, owner.now());
    const { coordinators, knownRound, groups, cpu, answeredBy } = answer;
    const oldestDataAgeMs = coordinators.reduce((oldest, { ageMs }) => Math.max(oldest, ageMs), 0);
    const usage = {
      ...asked,
      answeredBy,
      knownRound,
      groups,
      cpu,
      oldestDataAgeMs,
      coordinatorCount: coordinators.length,
    };
    owner.apply({ kind: 'usageArrived', usage: this.world.bugs.tamper?.(usage, owner.now()) ?? usage });
    if (this.isWanted) this.ask();
  }
}
