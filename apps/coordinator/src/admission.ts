// Stands between the queries of this coordinator and the group machine.
//   A1. Whether a query starts is decided by the group machine alone; here its effects are carried out, in order
//       (group-driver.ts).
//   A2. A query is selected for a group and submitted to it in one turn, by the same configuration.
//   A3. A query whose group is gone by a new configuration is selected again, and keeps the time that it has waited.
//   A4. What a query may use is fixed when it starts, by the configuration of that moment.
//   A5. A query gives its slot back when it has ended and its tasks have stopped, after all that it used was told; a
//       query that waits, when it ends.
//   A6. A query that its group takes back waits again as if it had never started: it keeps its time and its place, and
//       nothing of it was sent (slots.ts).
import { type Clock, type Instant, type QueryId, unreachable } from '@tutti/base';
import {
  type GroupEffect,
  type GroupEvent,
  type GroupTarget,
  type GroupTree,
  selectGroup,
  type WaitExplanation,
} from '@tutti/resource-groups';
import { aborted, type Log } from '@tutti/service';
import type { Contact } from './core/contact.js';
import type { CoordinatorMetrics } from './coordinator-metrics.js';
import { afterReload, rejectionFailure, selectionFailure } from './core/group-failures.js';
import type { QueuedEntry } from './core/queued-page.js';
import { GroupDriver } from './group-driver.js';
import { boundByGroup, criteriaOf, goesByPriority } from './group-of-query.js';
import type { LeaseTelling } from '@tutti/lease-wire';
import type { LiveQuery } from './live-query.js';
import type { QueryWork } from './core/query-work.js';
import { withObstacle } from './core/wait-obstacles.js';
import { type HeldSlot, type Slot, Slots } from './slots.js';
import { UseNews } from './use-news.js';

export interface AdmissionOptions {
  readonly groups: GroupTree;
  /** Whether an admitted query would find any worker now. */
  readonly hasWorkers: () => boolean;
  /** Whether a task that a query has given up may still be on a worker. */
  readonly mayHaveTasks: (queryId: QueryId) => boolean;
  /** Runs an admitted query, until it needs its slot no more or the slot is taken back. Never rejects. */
  readonly run: (query: LiveQuery, work: QueryWork, slot: Slot) => Promise<void>;
  /** Has a report sent to the resource managers soon. */
  readonly reportSoon: () => void;
  /** Asks for the usage of the other coordinators: now, or regularly while somebody waits. */
  readonly usage: { ask(): void; watch(): void };
  /** Tells the owner of a shard what this coordinator holds and could use there. */
  readonly demand: (demand: DemandEffect) => void;
  /** How long resource managers that have just started take at most to deal slots; undefined when that is not what is missing. */
  readonly dealAgainInMs: (now: Instant) => number | undefined;
  readonly contact: Contact;
  readonly metrics: Pick<CoordinatorMetrics, 'admissionWait' | 'admissionStarts'>;
  readonly clock: Clock;
  readonly log: Log;
}

export type DemandEffect = Extract<GroupEffect, { readonly kind: 'demand' }>;

/** A query in the group machine that it has not started, with what it will run. */
interface Waiting {
  readonly query: LiveQuery;
  readonly work: QueryWork;
  readonly target: GroupTarget;
}

/** Those who watch a waiting query hear of a new reason at most this often. */
const WAIT_NEWS_MS = 200;

export class Admission {
  private readonly waiting = new Map<string, Waiting>();
  /** Those that hold a slot. */
  private readonly started = new Map<string, Waiting & { readonly slot: HeldSlot }>();
  private readonly useNews: UseNews;
  private readonly driver: GroupDriver;
  private readonly slots: Slots;
  private newsPending = false;
  /** What all queries wait for that wait. */
  private obstacle: string | undefined;

  constructor(private readonly options: AdmissionOptions) {
    this.driver = new GroupDriver({ ...options, carryOut: (effect, cause) => this.carryOut(effect, cause) });
    this.slots = new Slots({ ...options, apply: (event) => this.apply(event) });
    this.useNews = new UseNews(options.clock, ({ queryId, use: { memoryBytes, cpuMs } }) =>
      this.apply({ kind: 'used', queryId, memoryBytes, cpuMs }),
    );
  }

  /** Whether a query waits for its group. */
  get someoneWaits(): boolean {
    return this.waiting.size > 0;
  }

  /** The queries that wait, in each group in the order in which they will start. */
  *queued(): Generator<QueuedEntry> {
    for (const { queryId, group } of this.options.groups.queuedInOrder()) {
      const entry = this.waiting.get(queryId);
      if (entry === undefined) continue;
      const { priority } = entry.query;
      yield { queryId, group, priority, byPriority: goesByPriority(entry.target.specs) };
    }
  }

  /** Takes a query to its group. */
  enter(query: LiveQuery, work: QueryWork): void {
    this.toGroup(query, work);
    this.options.usage.watch();
  }

  /** Tells the group machine what happened outside, and does what it decides. */
  apply(event: GroupEvent): void {
    this.driver.apply(event); // A1
    this.newsForWaiting();
  }

  /** A resource manager said which shards it owns, or what may run. */
  hear({ resourceManagerId: seat, owned, grants }: LeaseTelling): void {
    if (owned !== undefined) this.apply({ kind: 'leaseOwners', seat, shards: owned });
    for (const { shard, grant } of grants) this.apply({ kind: 'leaseGranted', seat, shard, grant });
    this.slots.onNews();
  }

  /** From now on nothing can start here, for a reason that its groups do not know. */
  waitFor(obstacle: string): void {
    this.obstacle = obstacle;
    this.newsForWaiting();
  }

  /** This coordinator goes away: slots that it holds and does not use are of use to others now. */
  giveUpLeases(): void {
    // A holder that slept keeps nothing but what runs, and says so at once.
    this.apply({ kind: 'overslept' });
  }

  /** What a query uses has changed. */
  onUse(query: LiveQuery): void {
    this.useNews.onUse(query);
  }

  /** A query has ended, from whatever state. */
  onEnd({ queryId }: LiveQuery): void {
    if (this.waiting.delete(queryId)) this.apply({ kind: 'finished', queryId }); // A5
  }

  private carryOut(effect: GroupEffect, cause: GroupEvent): void {
    switch (effect.kind) {
      case 'start':
        return this.start(effect.queryId, cause);
      case 'reject':
        return this.take(effect.queryId)?.query.apply({ kind: 'failed', failure: rejectionFailure(effect) });
      case 'reselect':
        return this.reselect(effect.queryId, effect.queuedSince);
      case 'requeue':
        return this.requeue(effect.queryId);
      case 'askUsage':
        return this.options.usage.ask();
      case 'demand':
        return this.options.demand(effect);
      default:
        return unreachable(effect);
    }
  }

  /** A2. */
  private toGroup(query: LiveQuery, work: QueryWork, queuedSince?: Instant): void {
    const { groups } = this.options;
    const formerGroup = query.group;
    const selection = selectGroup(groups.config, criteriaOf(query.session));
    if (selection.kind !== 'selected') {
      const why = selectionFailure(selection, query.session);
      return query.apply({ kind: 'failed', failure: formerGroup === '' ? why : afterReload(formerGroup, why) });
    }
    const { target } = selection;
    const { queryId } = query;
    this.waiting.set(queryId, { query, work, target });
    boundByGroup(query, target, groups.config);
    query.waitsFor(this.waitOf(queryId));
    query.apply({ kind: 'groupChosen', group: target.path });
    const since = queuedSince === undefined ? {} : { queuedSince };
    this.apply({ kind: 'submitted', queryId, target, priority: query.priority, ...since });
  }

  /** A3. */
  private reselect(queryId: QueryId, queuedSince: Instant): void {
    const entry = this.take(queryId);
    if (entry === undefined) return;
    const { query, work } = entry;
    const from = query.group;
    this.toGroup(query, work, queuedSince);
    this.options.log.info('query-moved', { queryId, from, to: query.ended ? '' : query.group });
  }

  private start(queryId: QueryId, cause: GroupEvent): void {
    const entry = this.take(queryId);
    if (entry === undefined) return;
    const { query, target } = entry;
    const { groups, hasWorkers, metrics } = this.options;
    boundByGroup(query, target, groups.config); // A4
    query.waitsFor(undefined);
    query.apply({ kind: 'admitted', workersActive: hasWorkers() });
    metrics.admissionWait.observe(query.snapshot().queuedMs / 1_000);
    // By what was known and held when it came: nothing was asked of anybody.
    const waited = cause.kind !== 'submitted' || cause.queryId !== queryId;
    metrics.admissionStarts.inc({ waited: waited ? 'yes' : 'no' });
    this.useNews.watch(query);
    const slot = this.slots.give(queryId, query.group);
    this.started.set(queryId, { ...entry, slot });
    void this.run(entry, slot);
  }

  private async run({ query, work }: Waiting, slot: Slot): Promise<void> {
    await this.options.run(query, work, slot);
    if (slot.takenBack.aborted) return;
    await aborted(query.signal);
    if (slot.takenBack.aborted) return;
    this.useNews.end(query);
    this.started.delete(query.queryId);
    this.apply({ kind: 'finished', queryId: query.queryId }); // A5
    this.options.reportSoon();
  }

  /** A6. */
  private requeue(queryId: QueryId): void {
    const entry = this.started.get(queryId);
    if (entry === undefined) return;
    const { query } = entry;
    this.started.delete(queryId);
    this.useNews.forget(query);
    entry.slot.takeBack();
    if (query.ended) return this.apply({ kind: 'finished', queryId });
    this.waiting.set(queryId, entry);
    query.waitsFor(this.waitOf(queryId));
    query.apply({ kind: 'requeued' });
    this.options.log.info('query-requeued', { queryId, group: query.group });
    this.options.usage.watch();
  }

  private waitOf(queryId: QueryId): () => WaitExplanation | undefined {
    const { groups, clock, dealAgainInMs } = this.options;
    return () => {
      const wait = groups.explain(queryId, clock.now());
      return wait && withObstacle(wait, this.obstacle, dealAgainInMs(clock.now()));
    };
  }

  private take(queryId: string): Waiting | undefined {
    const entry = this.waiting.get(queryId);
    this.waiting.delete(queryId);
    return entry;
  }

  /** Wakes those who watch waiting queries: the reason may have changed. */
  private newsForWaiting(): void {
    if (this.newsPending || this.waiting.size === 0) return;
    this.newsPending = true;
    this.options.clock.schedule(WAIT_NEWS_MS, () => {
      this.newsPending = false;
      for (const { query } of this.waiting.values()) query.bell.ring();
    });
  }
}
