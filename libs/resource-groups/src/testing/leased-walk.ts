import { instant, nodeId, queryId, type Random, randomInt, seededRandom } from '@tutti/base';
import type { AdmissionMode, GroupConfig } from '../group-config.js';
import type { GroupEffect, GroupEvent } from '../group-events.js';
import { lineageOf } from '../group-path.js';
import { GroupTree } from '../group-tree.js';
import type { Grant, GrantKind, WishMode } from '../leases/lease-messages.js';
import { shardOfGroup } from '../seats/shard.js';
import { CountChecks } from './count-checks.js';
import { leasesOf } from './leases-of.js';
import { changedConfig, randomConfig, randomTarget } from './random-groups.js';
import { LeasedModel } from './leased-model.js';

const SEATS = ['rm-1', 'rm-2', 'rm-3'];
const ROOTS = ['r', 's'];
const KINDS: readonly GrantKind[] = [
  'renewed',
  'renewed',
  'renewed',
  'renewed',
  'refused',
  'lapsed',
  'resend',
  'pushed',
];
const WISHES: readonly WishMode[] = ['none', 'none', 'spare', 'ends', 'stop'];

/** A random walk in leased mode: owners come and go and say anything, right or wrong. Each broken rule is an error. */
export class LeasedWalk {
  private readonly random: Random;
  private readonly tree: GroupTree;
  readonly model: LeasedModel;
  private readonly checks: CountChecks;
  private readonly numbers = new Map<string, number>();
  private submitted = 0;
  private lastEpoch = 0;

  constructor(private readonly seed: number) {
    this.random = seededRandom(seed);
    const config = this.inModes(randomConfig(this.random));
    this.tree = new GroupTree({ config, usageMaxAgeMs: 3_000, leases: leasesOf('walk') });
    this.model = new LeasedModel(config, (condition, message) => this.expect(condition, message));
    this.checks = new CountChecks(this.model.reference, (condition, message) => this.expect(condition, message));
  }

  step(): void {
    const part = this.random();
    this.model.nowMs += part < 0.01 ? 11_000 : part < 0.05 ? 2_500 : randomInt(this.random, 80);
    if (this.random() < 0.7) this.apply({ kind: 'tick' });
    const choice = this.random();
    if (choice < 0.25) this.submit(`q${this.submitted++}`);
    else if (choice < 0.4) this.withOne((id) => this.finish(id));
    else if (choice < 0.5) this.withOne((id) => this.send(id));
    else if (choice < 0.56) this.hearOwners();
    else if (choice < 0.58) this.loseOwner();
    else if (choice < 0.585) this.apply({ kind: 'overslept' });
    else if (choice < 0.62) this.useSome();
    else if (choice < 0.63) this.reload();
    else if (choice < 0.67) this.apply({ kind: 'tick' });
    else this.grant();
    this.check();
  }

  /** One good owner gives everything that is wanted: then all that fits must start. */
  settle(): void {
    const shards = ROOTS.map((root) => ({ shard: shardOfGroup(root), epoch: ++this.lastEpoch * SEATS.length }));
    for (const seat of SEATS) this.owners(seat, seat === 'rm-1' ? shards : []);
    for (let round = 0; round < 200; round++) {
      this.model.nowMs += 50;
      this.apply({ kind: 'tick' });
      for (const { shard, epoch } of shards) {
        const lease = this.model.lease(shard);
        const caps = this.leaves().map((group) => ({ group, cap: 1_000 }));
        const wishes = this.leaves().map((group) => ({ group, mode: 'none' as const, keep: 0 }));
        this.hear('rm-1', shard, this.grantOf({ kind: 'renewed', epoch, ackSeq: lease.lastSeq, caps, wishes }));
      }
      this.check();
    }
    for (const { id, path, isRunning } of this.model.reference.queries.values()) {
      if (isRunning || this.model.modeOf(path) !== 'leased') continue;
      this.expect(
        [...lineageOf(path)].some((group) => this.model.isClosed(group)),
        `A3 broken: ${id} waits for ever`,
      );
    }
  }

  private submit(id: string, queuedSince?: number): void {
    const target = randomTarget(this.random, this.tree.config);
    const priority = 1 + randomInt(this.random, 5);
    this.model.nowMs++;
    const isTooMany = this.model.reference.hasTooManyFor(target);
    if (!isTooMany)
      this.model.reference.submit(id, target, priority, this.model.nowMs, queuedSince ?? this.model.nowMs);
    const since = queuedSince === undefined ? {} : { queuedSince: instant(queuedSince) };
    const effects = this.apply({ kind: 'submitted', queryId: queryId(id), target, priority, ...since });
    const started = effects.some((effect) => effect.kind === 'start' && effect.queryId === id);
    if (started && !effects.some(({ kind }) => kind === 'demand' || kind === 'askUsage'))
      this.model.counts.startsWithoutMessage++;
  }

  private withOne(act: (id: string) => void): void {
    const ids = [...this.model.reference.queries.keys()];
    const id = ids[randomInt(this.random, ids.length)];
    if (id !== undefined) act(id);
  }

  private finish(id: string): void {
    this.apply({ kind: 'tick' }); // It may have to wait again first.
    this.model.reference.remove(id);
    this.model.sent.delete(id);
    this.apply({ kind: 'finished', queryId: queryId(id) });
  }

  private send(id: string): void {
    this.apply({ kind: 'sent', queryId: queryId(id) });
    if (this.model.reference.queries.get(id)?.isRunning) this.model.sent.add(id);
  }

  private useSome(): void {
    const running = [...this.model.reference.queries.values()].filter(({ isRunning }) => isRunning);
    const query = running[randomInt(this.random, running.length)];
    if (query === undefined) return;
    const memoryBytes = randomInt(this.random, 6);
    this.model.passTime();
    const isWaiting =
      !this.model.sent.has(query.id) && this.model.modeOf(query.path) === 'leased' && this.model.isOver(query.path);
    if (!isWaiting) query.memoryBytes = memoryBytes;
    this.apply({ kind: 'used', queryId: queryId(query.id), memoryBytes, cpuMs: this.model.nowMs });
  }

  private hearOwners(): void {
    const index = randomInt(this.random, SEATS.length);
    const seat = SEATS[index] ?? '';
    // No two seats ever have the same one.
    const number = this.random() < 0.6 ? ++this.lastEpoch : randomInt(this.random, this.lastEpoch + 1);
    const epoch = number * SEATS.length + index;
    const shards = ROOTS.filter(() => this.random() < 0.7).map((root) => ({ shard: shardOfGroup(root), epoch }));
    this.owners(seat, shards);
  }

  private loseOwner(): void {
    const seat = SEATS[randomInt(this.random, SEATS.length)] ?? '';
    this.apply({ kind: 'tick' });
    for (const lease of this.model.everyLease()) lease.owner(seat, undefined);
    this.apply({ kind: 'leaseStreamLost', seat: nodeId(seat) });
  }

  private owners(seat: string, shards: readonly { shard: number; epoch: number }[]): void {
    this.apply({ kind: 'tick' }); // What is due goes to the former owner.
    for (const root of ROOTS) {
      const shard = shardOfGroup(root);
      this.model.lease(shard).owner(seat, shards.find((owned) => owned.shard === shard)?.epoch);
    }
    this.apply({ kind: 'leaseOwners', seat: nodeId(seat), shards });
  }

  /** From the owner or not, in answer to the last demand or not, more or less than before. */
  private grant(): void {
    this.apply({ kind: 'tick' });
    const shard = shardOfGroup(ROOTS[randomInt(this.random, ROOTS.length)] ?? '');
    const lease = this.model.lease(shard);
    const isRight = this.random() < 0.85;
    const seat = isRight ? (lease.route?.seat ?? 'rm-1') : (SEATS[randomInt(this.random, SEATS.length)] ?? '');
    const epoch = isRight ? (lease.route?.epoch ?? 0) : randomInt(this.random, (this.lastEpoch + 1) * SEATS.length);
    const ackSeq = lease.lastSeq - (this.random() < 0.15 ? randomInt(this.random, 3) : 0);
    const leaves = this.leaves();
    const some = () => leaves.filter(() => this.random() < 0.5);
    const caps = some().map((group) => ({ group, cap: randomInt(this.random, 5) }));
    const wishes = some().map((group) => ({ group, mode: this.pick(WISHES), keep: randomInt(this.random, 4) }));
    this.hear(seat, shard, this.grantOf({ kind: this.pick(KINDS), epoch, ackSeq, caps, wishes }));
  }

  private grantOf(grant: Pick<Grant, 'kind' | 'epoch' | 'ackSeq' | 'caps' | 'wishes'>): Grant {
    const key = `${grant.epoch}`;
    const number = (this.numbers.get(key) ?? 0) + 1;
    this.numbers.set(key, number);
    return { ...grant, number, ttlMs: 10_000, hints: [] };
  }

  private hear(seat: string, shard: number, grant: Grant): void {
    const lease = this.model.lease(shard);
    for (const { group, mode } of grant.wishes) if (mode === 'stop') this.model.stopped.add(group);
    this.model.passTime();
    if (lease.hear(seat, grant, this.model.nowMs)) lease.end(this.model.sentByLeaf());
    this.apply({ kind: 'leaseGranted', seat: nodeId(seat), shard, grant });
  }

  private reload(): void {
    const config = this.inModes(changedConfig(this.random, this.tree.config));
    this.model.passTime();
    // Whatever is over is over before the new groups hold.
    this.apply({ kind: 'tick' });
    const running = [...this.model.reference.queries.values()].filter(({ isRunning }) => isRunning);
    const former = running.map(({ id, path }) => ({ id, path, mode: this.model.modeOf(path) }));
    const leaving = this.model.reference.reload(config);
    this.model.reference.hear(undefined);
    this.model.begin(config);
    const effects = this.apply({ kind: 'configured', config });
    const moved = effects.flatMap((effect) => (effect.kind === 'reselect' ? [effect] : []));
    const ids = (list: readonly string[]) => [...list].sort().join();
    this.expect(ids(moved.map((effect) => effect.queryId)) === ids(leaving.map(({ id }) => id)), 'G8 broken');
    // What runs when another mode begins goes on.
    for (const { id, path, mode } of former) if (mode !== this.model.modeOf(path)) this.model.sent.add(id);
    for (const { queryId: id, queuedSince } of moved) this.submit(id, queuedSince);
  }

  private apply(event: GroupEvent): GroupEffect[] {
    this.model.passTime();
    if (event.kind === 'overslept')
      for (const lease of this.model.everyLease()) lease.oversleep(this.model.sentByLeaf());
    const effects = this.tree.apply(event, instant(this.model.nowMs));
    const later: GroupEffect[] = [];
    effects.forEach((effect, index) => this.model.note(effect, event, effects.slice(index + 1), later));
    this.model.checkRejects(event, effects);
    for (const effect of later)
      if (effect.kind === 'reselect') {
        this.model.counts.reselects++;
        this.submit(effect.queryId, effect.queuedSince);
      }
    return effects;
  }

  private check(): void {
    this.checks.check(this.tree, instant(this.model.nowMs));
    this.model.check(this.tree);
  }

  private inModes(config: GroupConfig): GroupConfig {
    const modes: readonly AdmissionMode[] = ['leased', 'leased', 'leased', 'leased', 'presto'];
    return {
      ...config,
      rootGroups: config.rootGroups.map((root) => ({ ...root, admissionMode: this.pick(modes) })),
    };
  }

  private leaves(): string[] {
    return [...new Set([...this.model.reference.queries.values()].map(({ path }) => path))];
  }

  private pick<T>(from: readonly T[]): T {
    return from[randomInt(this.random, from.length)] as T;
  }

  private expect(condition: boolean, message: string): void {
    if (!condition) throw new Error(`${message} (REPLAY ${this.seed} at ${this.model.nowMs})`);
  }
}
