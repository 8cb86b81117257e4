import { instant, queryId, type Random, randomInt, seededRandom } from '@tutti/base';
import type { GroupConfig } from '../group-config.js';
import type { GroupCounts, GroupEffect, GroupEvent } from '../group-events.js';
import { lineageOf } from '../group-path.js';
import { GroupTree } from '../group-tree.js';
import type { GroupUsage, UsageSnapshot } from '../group-usage.js';
import { changedConfig, randomConfig, randomTarget } from './random-groups.js';
import { CountChecks } from './count-checks.js';
import { HeardUsage } from './heard-usage.js';
import { leasesOf } from './leases-of.js';
import { ReferenceTree } from './reference-tree.js';

const MAX_AGE_MS = 3_000;
const HOLD_MS = 250;

/** A random walk: what is known of the tree from outside, and a reference beside it. Each broken rule is an error. */
export class TreeWalk {
  private readonly random: Random;
  private readonly tree: GroupTree;
  private readonly reference: ReferenceTree;
  private readonly countChecks: CountChecks;
  private readonly heard: HeardUsage;
  private readonly lastStartAt = new Map<string, number>();
  /** Starts in the event that is being applied, by leaf. */
  private readonly startsHere = new Map<string, number>();
  private readonly standing = new Map<string, number>();
  private lastRound = 0;
  private nowMs = 1_000;
  private submitted = 0;
  starts = 0;
  rejects = 0;
  reselects = 0;

  constructor(private readonly seed: number) {
    this.random = seededRandom(seed);
    const config = randomConfig(this.random);
    this.tree = new GroupTree({ config, usageMaxAgeMs: MAX_AGE_MS, leases: leasesOf('walk') });
    this.reference = new ReferenceTree(config);
    this.countChecks = new CountChecks(this.reference, (condition, message) => this.expect(condition, message));
    this.heard = new HeardUsage(MAX_AGE_MS);
  }

  step(): void {
    this.nowMs += this.random() < 0.02 ? 2_000 : randomInt(this.random, 60);
    const choice = this.random();
    if (choice < 0.38) this.submit(`q${this.submitted++}`);
    else if (choice < 0.58) this.finishOne();
    else if (choice < 0.85) this.hearUsage();
    else if (choice < 0.92) this.useMemory();
    else if (choice < 0.94) this.resize();
    else if (choice < 0.955) this.reload();
    else if (choice < 0.98) this.apply({ kind: 'tick' });
    else this.apply({ kind: 'usageUnavailable', since: instant(this.nowMs) });
    this.countChecks.check(this.tree, instant(this.nowMs));
  }

  /** Nobody else runs anything, and each question is answered: then all that fits must start. */
  settle(): void {
    for (let idle = 0; idle < 20; idle++) {
      this.nowMs += 300;
      const wanted = this.apply({ kind: 'tick' }).some(({ kind }) => kind === 'askUsage');
      const effects = wanted ? this.apply({ kind: 'usageArrived', usage: this.answer('usual', new Map()) }) : [];
      if (effects.some(({ kind }) => kind === 'start')) idle = 0;
      this.countChecks.check(this.tree, instant(this.nowMs));
    }
    for (const { id, path, isRunning } of this.reference.queries.values()) {
      const isFull = [...lineageOf(path)].some(
        (group) => this.reference.runningHere(group) >= this.reference.limitOf(group),
      );
      this.expect(isRunning || isFull, `${id} waits for ever`);
    }
  }

  private submit(id: string, queuedSince?: number): void {
    const target = randomTarget(this.random, this.tree.config);
    const priority = 1 + randomInt(this.random, 5);
    const isTooMany = this.reference.hasTooManyFor(target);
    if (!isTooMany) this.reference.submit(id, target, priority, this.nowMs + 1, queuedSince ?? this.nowMs + 1);
    const since = queuedSince === undefined ? {} : { queuedSince: instant(queuedSince) };
    const effects = this.apply({ kind: 'submitted', queryId: queryId(id), target, priority, ...since });
    // G3: what has just come is unknown to everybody else.
    this.expect(!effects.some((effect) => effect.kind === 'start' && effect.queryId === id), 'it started unheard');
    const refused = effects.find((effect) => effect.kind === 'reject' && effect.reason === 'tooManyGroups');
    this.expect((refused !== undefined) === isTooMany, `F2 broken for ${target.path}`);
  }

  private finishOne(): void {
    const ids = [...this.reference.queries.keys()];
    const id = ids[randomInt(this.random, ids.length)];
    if (id === undefined) return;
    this.reference.remove(id);
    this.apply({ kind: 'finished', queryId: queryId(id) });
  }

  private useMemory(): void {
    const running = [...this.reference.queries.values()].filter(({ isRunning }) => isRunning);
    const query = running[randomInt(this.random, running.length)];
    if (query === undefined) return;
    query.memoryBytes = randomInt(this.random, 6);
    this.apply({ kind: 'used', queryId: queryId(query.id), memoryBytes: query.memoryBytes, cpuMs: this.nowMs });
  }

  private resize(): void {
    const cluster = { activeWorkers: randomInt(this.random, 6), memoryBytes: randomInt(this.random, 20) };
    Object.assign(this.reference.cluster, cluster);
    this.apply({ kind: 'clusterChanged', ...cluster });
  }

  private reload(): void {
    const config: GroupConfig = changedConfig(this.random, this.tree.config);
    this.forgetOldUsage();
    const leaving = this.reference.reload(config);
    this.reference.hear(this.heard.usage);
    const effects = this.apply({ kind: 'configured', config });
    const actual = effects.flatMap((effect) => (effect.kind === 'reselect' ? [effect] : []));
    const ids = (list: readonly string[]) => [...list].sort().join();
    const same = ids(actual.map((effect) => effect.queryId)) === ids(leaving.map(({ id }) => id));
    this.expect(same, 'G8 broken: others must select anew');
    this.reselects += actual.length;
    for (const effect of actual) this.submit(effect.queryId, effect.queuedSince);
  }

  /** Usage that is new or late, young or old, of a known or another resource manager. */
  private hearUsage(): void {
    const groups = new Map<string, GroupUsage>();
    for (let count = randomInt(this.random, 3); count > 0; count--)
      groups.set(randomTarget(this.random, this.tree.config).path, {
        running: randomInt(this.random, 3),
        queued: randomInt(this.random, 4),
        memoryBytes: randomInt(this.random, 3),
        claimsAhead: Array.from({ length: randomInt(this.random, 3) }, () => ({
          round: randomInt(this.random, this.lastRound + 2),
          count: 1 + randomInt(this.random, 3),
        })),
      });
    const answer = this.answer(this.random() < 0.05 ? 'other' : 'usual', groups);
    const usage = {
      ...answer,
      knownRound: Math.max(0, answer.knownRound - (this.random() < 0.2 ? 1 : 0)),
      requestedAt: instant(this.nowMs - (this.random() < 0.2 ? randomInt(this.random, 4_000) : 0)),
      oldestDataAgeMs: this.random() < 0.1 ? 3_100 : randomInt(this.random, 500),
      cpu: new Map(this.random() < 0.3 ? [['r', 3_000 * this.random()], ['r.g0', 3_000 * this.random()]] : []), // prettier-ignore
    };
    this.apply({ kind: 'usageArrived', usage });
  }

  private answer(answeredBy: string, groups: ReadonlyMap<string, GroupUsage>): UsageSnapshot {
    this.tree.counts().forEach(({ claimRound }) => (this.lastRound = Math.max(this.lastRound, claimRound)));
    const nothing = { cpu: new Map<string, number>(), oldestDataAgeMs: 0, coordinatorCount: 2 };
    return { ...nothing, requestedAt: instant(this.nowMs), answeredBy, knownRound: this.lastRound, groups };
  }

  private apply(event: GroupEvent): GroupEffect[] {
    this.nowMs++;
    this.startsHere.clear();
    const claims = this.tree.counts();
    const effects = this.tree.apply(event, instant(this.nowMs));
    this.noteUsage(event);
    if (event.kind === 'tick') this.checkOverdue(effects);
    this.noteStanding(effects, claims);
    for (const effect of effects) if (effect.kind === 'start') this.checkStart(effect.queryId, claims);
    this.checkRejects(event, effects);
    for (const path of this.startsHere.keys()) this.lastStartAt.set(rootOf(path), this.nowMs);
    if (this.startsHere.size === 0) this.checkNobodyIdles(event);
    return effects;
  }

  private checkOverdue(effects: readonly GroupEffect[]): void {
    const actual = rejectsOf(effects);
    const expected = this.reference.overdue(this.nowMs);
    for (const id of expected) this.reference.remove(id);
    this.expect(actual.sort().join() === expected.sort().join(), `timeouts: ${actual.join()}, not ${expected.join()}`);
  }

  /** G6: after the starts, just those are turned away that must be. */
  private checkRejects(event: GroupEvent, effects: readonly GroupEffect[]): void {
    if (event.kind === 'tick' || effects.some((effect) => 'reason' in effect && effect.reason === 'tooManyGroups'))
      return;
    const actual = rejectsOf(effects);
    let expected: string[] = [];
    if (event.kind === 'submitted' && this.reference.isFullHere(event.target.path)) {
      this.reference.remove(event.queryId);
      expected = [event.queryId];
    }
    if (event.kind === 'usageArrived' && this.heard.usage) expected = this.reference.turnedAwayOn(this.heard.usage);
    this.rejects += actual.length;
    this.expect(actual.sort().join() === expected.sort().join(), `G6 broken: ${actual.join()}, not ${expected.join()}`);
  }

  private checkStart(id: string, claims: readonly GroupCounts[]): void {
    const { reference } = this;
    const { usage } = this.heard;
    const query = reference.queries.get(id);
    if (query === undefined || query.isRunning) return this.expect(false, `G1 broken: ${id} was not queued`);
    const { path } = query;
    const startedBefore = this.startsHere.get(path) ?? 0;
    const inTree = [...this.startsHere].filter(([leaf]) => rootOf(leaf) === rootOf(path)).length;
    const claim = claims.find(({ group }) => group === path);
    this.startsHere.set(path, startedBefore + 1);
    this.starts++;
    this.expect(reference.queuedIn(path)[0]?.id === id, `Q3 broken: ${id} was not the first of ${path}`);
    if (usage === undefined || claim === undefined) return this.expect(false, `G3 broken: ${id} started on nothing`);
    this.expect(claim.claimRound <= usage.knownRound, `G3 broken: the claim of ${id} is unknown`);
    this.expect(claim.claimed > startedBefore, `G3 broken: ${id} had no claim`);
    const lastStart = this.lastStartAt.get(rootOf(path)) ?? -Infinity;
    this.expect(usage.requestedAt > lastStart, `G3 broken: usage is older than a start`);
    this.expect(this.nowMs - usage.requestedAt + usage.oldestDataAgeMs <= MAX_AGE_MS, `G3 broken: usage is too old`);
    const sinceChangeMs = this.nowMs - this.heard.changedAt;
    this.expect(sinceChangeMs >= HOLD_MS, `G4 broken: ${id} started although another resource manager has answered`);
    this.expect(sinceChangeMs >= MAX_AGE_MS || inTree === 0, `G4 broken: ${id} is the second start on one answer`);
    this.standing.set(path, (this.standing.get(path) ?? 0) - 1);
    const left = claims.map((own) => ({ ...own, claimed: this.standing.get(own.group) ?? 0 }));
    this.expect(reference.mayStart(path, claim.claimRound, left), `G2 broken: no room for ${id}`);
    reference.start(id);
  }

  /** Of the claims before the event, those that were neither withdrawn nor dropped in it: used in it, or still there. */
  private noteStanding(effects: readonly GroupEffect[], claims: readonly GroupCounts[]): void {
    const after = new Map(this.tree.counts().map((own) => [own.group, own]));
    this.standing.clear();
    for (const { group, claimRound } of claims) {
      const own = after.get(group);
      this.standing.set(group, own?.claimRound === claimRound ? own.claimed : 0);
    }
    for (const effect of effects) {
      const path = effect.kind === 'start' ? this.reference.queries.get(effect.queryId)?.path : undefined;
      if (path !== undefined) this.standing.set(path, (this.standing.get(path) ?? 0) + 1);
    }
  }

  /** No slot stays idle: when nothing started, no claim that fresh usage knows could have started. */
  private checkNobodyIdles(event: GroupEvent): void {
    const { usage } = this.heard;
    if (usage === undefined || event.kind !== 'usageArrived' || event.usage !== usage) return;
    if (this.nowMs - this.heard.changedAt < HOLD_MS) return;
    const claims = this.tree.counts();
    for (const own of claims) {
      if (own.claimed === 0 || own.claimRound > usage.knownRound) continue;
      if (usage.requestedAt <= (this.lastStartAt.get(rootOf(own.group)) ?? -Infinity)) continue;
      const mayStart = this.reference.mayStart(own.group, own.claimRound, claims);
      this.expect(!mayStart, `a slot idles: ${own.group} could start`);
    }
  }

  private forgetOldUsage(): void {
    if (this.heard.forgetOld(this.nowMs + 1)) this.reference.hear(undefined);
  }

  private noteUsage(event: GroupEvent): void {
    if (this.heard.forgetOld(this.nowMs)) this.reference.hear(undefined);
    if (event.kind === 'usageArrived' && this.heard.take(event.usage, this.nowMs)) this.reference.hear(event.usage);
  }

  private expect(condition: boolean, message: string): void {
    if (!condition) throw new Error(`${message} (REPLAY ${this.seed})`);
  }
}

const rejectsOf = (effects: readonly GroupEffect[]): string[] =>
  effects.flatMap((effect) => (effect.kind === 'reject' ? [effect.queryId] : []));

const rootOf = (path: string): string => [...lineageOf(path)].at(-1) ?? '';
