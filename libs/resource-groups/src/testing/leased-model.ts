import { instant, queryId } from '@tutti/base';
import type { AdmissionMode, GroupConfig } from '../group-config.js';
import type { GroupEffect, GroupEvent } from '../group-events.js';
import { lineageOf } from '../group-path.js';
import type { GroupTree } from '../group-tree.js';
import { shardOfGroup } from '../seats/shard.js';
import { ReferenceLease } from './reference-lease.js';
import { ReferenceTree } from './reference-tree.js';

/** What a tree in leased mode must do, by its events and by the messages alone. Each broken rule is an error. */
export class LeasedModel {
  readonly reference: ReferenceTree;
  /** Sent, or started in another mode: never queued again. */
  readonly sent = new Set<string>();
  /** Leaves that an owner asked not to start anything in: it may stand for long. */
  readonly stopped = new Set<string>();
  readonly counts = { starts: 0, requeues: 0, reselects: 0, rejects: 0, startsWithoutMessage: 0 };
  nowMs = 1_000;
  private readonly leases = new Map<number, ReferenceLease>();

  constructor(
    config: GroupConfig,
    readonly expect: (condition: boolean, message: string) => void,
  ) {
    this.reference = new ReferenceTree(config);
    this.begin(config);
  }

  note(effect: GroupEffect, event: GroupEvent, rest: readonly GroupEffect[], later: GroupEffect[]): void {
    switch (effect.kind) {
      case 'start':
        return this.checkStart(effect.queryId);
      case 'requeue': {
        const query = this.reference.queries.get(effect.queryId);
        this.expect(
          query?.isRunning === true && !this.sent.has(effect.queryId),
          `S3 broken: ${effect.queryId} waits again`,
        );
        if (query === undefined) return;
        this.expect(this.isOver(query.path), `S3 broken: the lease of ${query.path} holds`);
        this.counts.requeues++;
        const next = rest[0];
        if (next?.kind === 'reselect' && next.queryId === effect.queryId) {
          this.reference.remove(effect.queryId);
          later.push(next);
        } else Object.assign(query, { isRunning: false, memoryBytes: 0 });
        return;
      }
      case 'demand': {
        const wrong = this.lease(effect.shard).demand(effect.demand, effect.seat, this.nowMs);
        return this.expect(wrong === undefined, wrong ?? '');
      }
      case 'reject':
        if (effect.reason === 'queueTimeout') {
          this.expect(event.kind === 'tick', 'ticks end what waits too long');
          this.reference.remove(effect.queryId);
        }
        return;
      case 'reselect':
      case 'askUsage':
        return;
    }
  }

  private checkStart(id: string): void {
    const query = this.reference.queries.get(id);
    if (query === undefined || query.isRunning) return this.expect(false, `G1 broken: ${id} was not queued`);
    const { path } = query;
    this.counts.starts++;
    this.expect(this.reference.queuedIn(path)[0]?.id === id, `M2 broken: ${id} was not the first of ${path}`);
    if (this.modeOf(path) === 'leased') {
      const lease = this.leaseOf(path);
      const held = lease.held.get(path) ?? 0;
      this.expect(!this.isOver(path), `M1 broken: ${id} started without a lease`);
      this.expect(this.reference.runningIn(path).length < held, `S1 broken: ${path} runs more than the ${held} held`);
    }
    const closed = [...lineageOf(path)].find((group) => this.isClosed(group));
    this.expect(closed === undefined, `M1 broken: ${closed} is closed`);
    this.reference.start(id);
  }

  checkRejects(event: GroupEvent, effects: readonly GroupEffect[]): void {
    const rejected = effects.flatMap((effect) => (effect.kind === 'reject' ? [effect] : []));
    this.counts.rejects += rejected.length;
    if (event.kind !== 'submitted' || rejected.some(({ reason }) => reason === 'tooManyGroups')) return;
    const query = this.reference.queries.get(event.queryId);
    const isFull = query?.isRunning === false && this.reference.isFullHere(event.target.path);
    if (isFull) this.reference.remove(event.queryId);
    this.expect(rejected.length > 0 === isFull, `G6 broken for ${event.queryId}`);
  }

  /** S2 and S3: between turns the holder knows everything, and nothing that was not sent runs without a lease. */
  check(tree: GroupTree): void {
    const now = instant(this.nowMs);
    const figures = new Map(tree.leaseFigures(now).map((figure) => [figure.group, figure]));
    for (const { group, held, running, waiting, isValid } of figures.values()) {
      const mayStart =
        isValid && !this.stopped.has(group) && waiting > 0 && running < held && this.modeOf(group) === 'leased';
      const isClosed = [...lineageOf(group)].some((above) => this.isClosed(above));
      this.expect(!mayStart || isClosed, `A3 broken: a slot of ${group} idles while somebody waits`);
    }
    for (const { id, path, isRunning } of this.reference.queries.values()) {
      const stamp = tree.taskStamp(queryId(id), now);
      if (this.modeOf(path) !== 'leased') {
        this.expect(stamp === undefined, `${id} needs no lease`);
        continue;
      }
      const figure = figures.get(path);
      const waiting = this.reference.queuedIn(path).length;
      this.expect(figure?.running === this.reference.runningIn(path).length, `S2 broken: who runs in ${path}`);
      this.expect(figure?.waiting === waiting, `S2 broken: who waits in ${path}`);
      const isOver = this.isOver(path);
      this.expect((stamp === 'notNow') === isOver, `H1 broken: ${id} has a stamp, or none`);
      const { epoch, seq } = this.leaseOf(path).stamp;
      if (typeof stamp === 'object') this.expect(stamp.stamp.seq === seq && stamp.stamp.epoch === epoch, 'H5 broken');
      this.expect(!isRunning || !isOver || this.sent.has(id), `S3 broken: ${id} runs without a lease`);
    }
  }

  /** What time has ended. */
  passTime(): void {
    for (const lease of this.everyLease()) lease.pass(this.nowMs, this.sentByLeaf());
  }

  sentByLeaf(): ReadonlyMap<string, number> {
    const running = new Map<string, number>();
    for (const { id, path } of this.reference.queries.values())
      if (this.sent.has(id)) running.set(path, (running.get(path) ?? 0) + 1);
    return running;
  }

  isClosed(group: string): boolean {
    const { reference } = this;
    const limit = reference.limitOf(group);
    const isCut = limit < reference.hardLimitOf(group);
    return reference.runningHere(group) >= limit || (isCut && reference.allRunning(group) >= limit);
  }

  isOver(path: string): boolean {
    return this.nowMs >= this.leaseOf(path).until;
  }

  begin({ rootGroups }: GroupConfig): void {
    for (const { name, admissionMode } of rootGroups) if (admissionMode === 'leased') this.leaseOf(name).begin();
  }

  modeOf(path: string): AdmissionMode | undefined {
    return this.reference.groups.get([...lineageOf(path)].at(-1) ?? '')?.spec.admissionMode;
  }

  leaseOf(path: string): ReferenceLease {
    return this.lease(shardOfGroup(path));
  }

  everyLease(): ReferenceLease[] {
    return [...this.leases.values()];
  }

  lease(shard: number): ReferenceLease {
    let lease = this.leases.get(shard);
    if (lease === undefined) this.leases.set(shard, (lease = new ReferenceLease()));
    return lease;
  }
}
