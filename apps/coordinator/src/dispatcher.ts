// Holds the queries of this coordinator from their statement to their end.
//   D1. A statement is checked and bound before it meets its group: a typo never waits.
//   D2. What needs a worker goes through admission; what the coordinator knows itself goes to no group.
//   D3. Every change of a query is reported soon; its end goes to the history in the same turn.
import type { Clock, QueryId } from '@tutti/base';
import { unreachable } from '@tutti/base';
import type { Planner, PlanOutcome, ResultFormat } from '@tutti/engine';
import type { GroupTree } from '@tutti/resource-groups';
import type { Log } from '@tutti/service';
import { Admission, type AdmissionOptions } from './admission.js';
import { Bell } from './bell.js';
import type { CoordinatorMetrics } from './coordinator-metrics.js';
import type { Contact } from './core/contact.js';
import type { QueryFailure, QuerySession } from './core/query.js';
import { failure } from './core/query.js';
import type { QueryHistory } from './core/query-history.js';
import type { QueryLimits } from './core/query-limits.js';
import type { DistributionSettings } from './core/stage-settings.js';
import { explainPlan } from './explain.js';
import { isRetriable } from './failure-codes.js';
import { LiveQuery } from './live-query.js';
import { planStatement } from './plan-statement.js';
import type { QueryExecution } from './query-execution.js';
import { planOf, workOf } from './query-plan.js';
import { linesOfRows } from './row-codec.js';

export interface DispatcherOptions {
  readonly planner: Planner;
  readonly groups: GroupTree;
  readonly execution: QueryExecution;
  readonly history: QueryHistory;
  readonly metrics: CoordinatorMetrics;
  readonly nextQueryId: () => QueryId;
  /** Has a report sent to the resource managers soon. */
  readonly reportSoon: () => void;
  /** Asks for the usage of the other coordinators: now, or regularly while somebody waits. */
  readonly usage: { ask(): void; watch(): void };
  /** Tells the owner of a shard what this coordinator holds and could use there. */
  readonly demand: AdmissionOptions['demand'];
  /** See AdmissionOptions. */
  readonly dealAgainInMs: AdmissionOptions['dealAgainInMs'];
  readonly contact: Contact;
  /** How queries run on several workers where their sessions do not say. */
  readonly distribution: DistributionSettings;
  readonly clock: Clock;
  readonly log: Log;
}

export interface NewStatement {
  readonly statement: string;
  readonly session: QuerySession;
  readonly limits: QueryLimits;
  readonly resultFormat: ResultFormat;
}

export type Submission =
  | { readonly kind: 'accepted'; readonly query: LiveQuery }
  | { readonly kind: 'refused'; readonly failure: QueryFailure };

/** Rows that wait for a client, per query. */
const BUFFER_BYTES_MAX = 1 << 20;
const EXPLAIN_COLUMNS = [{ name: 'Query Plan', type: 'VARCHAR' }];
/** Statements that are being planned at once; they hold no slot of a group yet. */
const PLANNING_MAX = 1_000;

export class Dispatcher {
  /** Where queries wait for their groups. */
  readonly admission: Admission;
  private readonly live = new Map<string, LiveQuery>();
  private readonly planning = new Set<LiveQuery>();
  private readonly queryEnded = new Bell();
  private refusal: QueryFailure | undefined;

  constructor(private readonly options: DispatcherOptions) {
    const { execution } = options;
    this.admission = new Admission({
      ...options,
      hasWorkers: () => execution.hasWorkers,
      mayHaveTasks: (queryId) => execution.mayHaveTasks(queryId),
      run: (query, work, slot) => this.guard(query, () => execution.run(query, work, slot)),
    });
  }

  /** Takes a statement; the query goes on by itself from here. */
  submit(request: NewStatement): Submission {
    if (this.refusal) return { kind: 'refused', failure: this.refusal };
    if (this.planning.size >= PLANNING_MAX) {
      const message = `The coordinator is planning ${PLANNING_MAX} statements already. Try again in a moment.`;
      return { kind: 'refused', failure: failure('QUERY_QUEUE_FULL', message, true) };
    }
    const query = new LiveQuery({
      ...request,
      queryId: this.options.nextQueryId(),
      bufferBytesMax: BUFFER_BYTES_MAX,
      distributionDefaults: this.options.distribution,
      clock: this.options.clock,
      onChange: (changed) => this.changed(changed),
      onUse: (using) => this.used(using),
    });
    this.live.set(query.queryId, query);
    this.options.metrics.started.inc();
    this.options.reportSoon();
    void this.guard(query, () => this.plan(query));
    return { kind: 'accepted', query };
  }

  /** A query that has not ended. */
  find(queryId: string): LiveQuery | undefined {
    return this.live.get(queryId);
  }

  /** All queries that have not ended, the oldest first. */
  queries(): Iterable<LiveQuery> & { readonly size: number } {
    return { size: this.live.size, [Symbol.iterator]: () => this.live.values() };
  }

  /** From now on every new statement is refused with `why`. */
  refuseNew(why: QueryFailure): void {
    this.refusal = why;
  }

  /** Resolves when no query is left, or after `limitMs`. */
  async untilIdle(limitMs: number): Promise<void> {
    const { clock } = this.options;
    const until = clock.now() + limitMs;
    while (this.live.size > 0 && clock.now() < until) {
      await this.queryEnded.wait(undefined, { clock, ms: until - clock.now() });
    }
  }

  /** Ends all queries that are left. */
  endAll(why: QueryFailure): void {
    for (const query of [...this.live.values()]) query.apply({ kind: 'failed', failure: why });
  }

  /** D1. */
  private async plan(query: LiveQuery): Promise<void> {
    this.planning.add(query);
    const outcome = await planStatement(this.options.planner, query, this.options.log);
    this.planning.delete(query);
    if (query.ended) return;
    switch (outcome.kind) {
      case 'error': {
        const { reason, message, line, column } = outcome.error;
        const retriable = isRetriable(reason);
        return query.apply({ kind: 'failed', failure: { reason, message, line, column, retriable } });
      }
      case 'rows':
        query.describe(outcome.columns);
        return this.answer(query, outcome.rows);
      case 'explain':
        query.describe(EXPLAIN_COLUMNS);
        if (outcome.isAnalyze) return this.admission.enter(query, workOf(outcome));
        return this.answer(query, this.explain(query, outcome));
      case 'query':
        query.describe(outcome.columns);
        return this.admission.enter(query, workOf(outcome)); // D2
      default:
        unreachable(outcome);
    }
  }

  private explain(query: LiveQuery, outcome: Extract<PlanOutcome, { kind: 'explain' }>): string[][] {
    const { enginePlan } = outcome;
    const { workerCount: workers } = this.options.execution;
    const lines = explainPlan({ plan: planOf(outcome), settings: query.distribution, workers, enginePlan });
    return lines.map((line) => [line]);
  }

  /** Delivers rows that the coordinator knows itself: no group, no worker. */
  private async answer(query: LiveQuery, rows: readonly (readonly unknown[])[]): Promise<void> {
    query.apply({ kind: 'running' });
    let resultBytes = 0;
    for (const lines of linesOfRows(rows, 64 << 10)) {
      resultBytes += lines.length;
      query.using({ resultBytes });
      await query.rows.push(lines, query.signal);
      if (query.ended) return;
    }
    query.using({ rows: rows.length });
    query.rows.end();
    query.apply({ kind: 'tasksEnded' });
  }

  /** An error that nobody expected ends the query and nothing else. */
  private async guard(query: LiveQuery, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.log.error('query-broke', { queryId: query.queryId, error });
      query.apply({ kind: 'failed', failure: failure('INTERNAL_ERROR', 'The coordinator met an error of its own.') });
    }
  }

  /** Of a query that was stopped the last figures come after its end. */
  private used(query: LiveQuery): void {
    if (query.ended) this.options.history.amend(query.snapshot());
    this.admission.onUse(query);
  }

  /** D3. */
  private changed(query: LiveQuery): void {
    const { history, metrics, clock, log, reportSoon } = this.options;
    reportSoon();
    if (!query.ended) return;
    const snapshot = query.snapshot();
    this.live.delete(query.queryId);
    this.queryEnded.ring();
    history.add(snapshot, clock.now());
    metrics.ended(snapshot);
    log.info('query-ended', {
      queryId: query.queryId,
      state: snapshot.state,
      user: snapshot.session.user,
      group: snapshot.group,
      elapsedMs: Math.round(snapshot.elapsedMs),
      queuedMs: Math.round(snapshot.queuedMs * 1_000) / 1_000,
      rows: snapshot.use.rows,
      resultBytes: snapshot.use.resultBytes,
      ...(snapshot.failure && { reason: snapshot.failure.reason, message: snapshot.failure.message }),
    });
    this.admission.onEnd(query);
  }
}
