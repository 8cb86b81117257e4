// Stands between the queries of this coordinator and the group machine.
//   A1. Whether a query starts is decided by the group machine alone; here its effects are carried out, in order.
//   A2. A query is selected for a group and submitted to it in one turn, by the same configuration.
//   A3. A query whose group is gone by a new configuration is selected again, and keeps the time that it has waited.
//   A4. What a query may use is fixed when it starts, by the configuration of that moment.
//   A5. A query gives its slot back when it has ended and its tasks have stopped, after all that it used was told; a
//       query that waits, when it ends.
import { type Clock, type Instant, type QueryId, unreachable } from '@tutti/base';
import {
  type GroupConfig,
  type GroupEffect,
  type GroupEvent,
  type GroupSpec,
  type GroupTarget,
  type GroupTree,
  selectGroup,
  type SelectionCriteria,
} from '@tutti/resource-groups';
import { aborted, type Log } from '@tutti/service';
import type { CoordinatorMetrics } from './coordinator-metrics.js';
import { afterReload, rejectionFailure, selectionFailure } from './core/group-failures.js';
import type { QuerySession } from './core/query.js';
import { boundsIn } from './core/query-limits.js';
import type { QueuedEntry } from './core/queued-page.js';
import type { LiveQuery } from './live-query.js';
import { UseNews } from './use-news.js';

export interface AdmissionOptions {
  readonly groups: GroupTree;
  /** Whether an admitted query would find any worker now. */
  readonly hasWorkers: () => boolean;
  /** Runs an admitted query. Never rejects. */
  readonly run: (query: LiveQuery, fragment: Uint8Array) => Promise<void>;
  /** Has a report sent to the resource managers soon. */
  readonly reportSoon: () => void;
  /** Asks for the usage of the other coordinators: now, or regularly while somebody waits. */
  readonly usage: { ask(): void; watch(): void };
  readonly metrics: Pick<CoordinatorMetrics, 'admissionWait'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A query in the group machine that it has not started, with what it will run. */
interface Waiting {
  readonly query: LiveQuery;
  readonly fragment: Uint8Array;
  readonly target: GroupTarget;
}

/** Those who watch a waiting query hear of a new reason at most this often. */
const WAIT_NEWS_MS = 200;

export class Admission {
  private readonly waiting = new Map<string, Waiting>();
  private readonly useNews: UseNews;
  private newsPending = false;

  constructor(private readonly options: AdmissionOptions) {
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
  enter(query: LiveQuery, fragment: Uint8Array): void {
    this.toGroup(query, fragment);
    this.options.usage.watch();
  }

  /** Tells the group machine what happened outside, and does what it decides. */
  apply(event: GroupEvent): void {
    for (const effect of this.options.groups.apply(event, this.options.clock.now())) this.carryOut(effect); // A1
    this.newsForWaiting();
  }

  /** What a query uses has changed. */
  onUse(query: LiveQuery): void {
    this.useNews.onUse(query);
  }

  /** A query has ended, from whatever state. */
  onEnd({ queryId }: LiveQuery): void {
    if (this.waiting.delete(queryId)) this.apply({ kind: 'finished', queryId }); // A5
  }

  private carryOut(effect: GroupEffect): void {
    switch (effect.kind) {
      case 'start':
        return this.start(effect.queryId);
      case 'reject':
        return this.take(effect.queryId)?.query.apply({ kind: 'failed', failure: rejectionFailure(effect) });
      case 'reselect':
        return this.reselect(effect.queryId, effect.queuedSince);
      case 'askUsage':
        return this.options.usage.ask();
      default:
        return unreachable(effect);
    }
  }

  /** A2. */
  private toGroup(query: LiveQuery, fragment: Uint8Array, queuedSince?: Instant): void {
    const { groups, clock } = this.options;
    const formerGroup = query.group;
    const selection = selectGroup(groups.config, criteriaOf(query.session));
    if (selection.kind !== 'selected') {
      const why = selectionFailure(selection, query.session);
      return query.apply({ kind: 'failed', failure: formerGroup === '' ? why : afterReload(formerGroup, why) });
    }
    const { target } = selection;
    const { queryId } = query;
    this.waiting.set(queryId, { query, fragment, target });
    bound(query, target, groups.config);
    query.waitsFor(() => groups.explain(queryId, clock.now()));
    query.apply({ kind: 'groupChosen', group: target.path });
    const since = queuedSince === undefined ? {} : { queuedSince };
    this.apply({ kind: 'submitted', queryId, target, priority: query.priority, ...since });
  }

  /** A3. */
  private reselect(queryId: QueryId, queuedSince: Instant): void {
    const entry = this.take(queryId);
    if (entry === undefined) return;
    const { query, fragment } = entry;
    const from = query.group;
    this.toGroup(query, fragment, queuedSince);
    this.options.log.info('query-moved', { queryId, from, to: query.ended ? '' : query.group });
  }

  private start(queryId: QueryId): void {
    const entry = this.take(queryId);
    if (entry === undefined) return;
    const { query, fragment, target } = entry;
    const { groups, hasWorkers, metrics } = this.options;
    bound(query, target, groups.config); // A4
    query.waitsFor(undefined);
    query.apply({ kind: 'admitted', workersActive: hasWorkers() });
    metrics.admissionWait.observe(query.snapshot().queuedMs / 1_000);
    this.useNews.watch(query);
    void this.run(query, fragment);
  }

  private async run(query: LiveQuery, fragment: Uint8Array): Promise<void> {
    await this.options.run(query, fragment);
    await aborted(query.signal);
    this.useNews.end(query);
    this.apply({ kind: 'finished', queryId: query.queryId }); // A5
    this.options.reportSoon();
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

const criteriaOf = (session: QuerySession): SelectionCriteria => ({
  user: session.user,
  source: session.source,
  principal: session.principal,
  clientInfo: session.clientInfo,
  clientTags: session.clientTags,
  queryType: 'SELECT', // What needs a worker is a SELECT; other statements go to no group.
  ...(session.schemaIsGiven && { schema: session.schema }),
  estimates: session.estimates,
});

/** Keeps a query within what its group allows by this configuration. */
function bound(query: LiveQuery, { path, specs }: GroupTarget, config: GroupConfig): void {
  const spec = specNow(config, specs) ?? specs.at(-1);
  if (spec !== undefined) query.boundBy((asked) => boundsIn(path, spec, asked));
}

/** The group as it is configured now; undefined when it is gone. */
function specNow(config: GroupConfig, specs: readonly GroupSpec[]): GroupSpec | undefined {
  let found: GroupSpec | undefined;
  let level = config.rootGroups;
  for (const { name } of specs) {
    found = level.find((spec) => spec.name === name);
    level = found?.subGroups ?? [];
  }
  return found;
}

const goesByPriority = (specs: readonly GroupSpec[]): boolean =>
  specs.at(-1)?.schedulingPolicy === 'weighted_fair' ||
  specs.some(({ schedulingPolicy }) => schedulingPolicy === 'query_priority');
