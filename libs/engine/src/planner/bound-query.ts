import { invariant } from '@tutti/base';
import { describeColumns, type Session, statementError } from '@tutti/sql';
import { type Column, type EnginePlan, type PlanOutcome, TaskError } from '../engine.js';
import { encodeFragment } from '../fragment.js';
import type { PlanningConnection } from './connection-queue.js';
import type { DistributionPlanner } from './distribution-plan.js';
import type { StubbedTable } from './stub-table.js';

/** A statement that has passed every check, on the connection on which it is bound. */
export interface Bound {
  readonly leased: PlanningConnection;
  readonly sql: string;
  readonly session: Session;
  readonly columns: readonly Column[];
  readonly tables: readonly StubbedTable[];
}

/** What becomes of a bound query. */
export class BoundQuery {
  constructor(
    private readonly bound: Bound,
    private readonly planner: DistributionPlanner,
    private readonly signal: AbortSignal,
  ) {}

  query(): Promise<PlanOutcome> {
    return this.withPlan((plan) => Promise.resolve({ kind: 'query', ...this.work(), plan }));
  }

  describe(): Promise<PlanOutcome> {
    return Promise.resolve({ kind: 'rows', ...describeColumns(this.bound.columns) });
  }

  explain(isAnalyze: boolean): Promise<PlanOutcome> {
    return this.withPlan(async (plan) => {
      const enginePlan = await this.enginePlan();
      return { kind: 'explain', isAnalyze, ...this.work(), plan, enginePlan };
    });
  }

  private async withPlan(use: (plan: EnginePlan) => Promise<PlanOutcome>): Promise<PlanOutcome> {
    const { leased, sql, session, tables } = this.bound;
    let plan: EnginePlan;
    try {
      plan = await this.planner.plan({ sql, distribution: session.distribution, tables }, leased, this.signal);
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      invariant(error.reason === 'TABLE_UNREADABLE', 'planning only looks at files');
      const hint = 'Put the file back, or correct the catalog and restart the coordinators.';
      return { kind: 'error', error: statementError('TABLE_UNREADABLE', `${error.message} ${hint}`) };
    }
    return use(plan);
  }

  private work() {
    const { sql, session, tables, columns } = this.bound;
    const { catalog, schema } = session;
    const readers = tables.map(({ reader }) => reader);
    const fragment = encodeFragment({ version: 1, sql, session: { catalog, schema }, tables: readers, columns });
    return { columns, fragment, tables: readers.map((reader) => `${reader.catalog}.${reader.schema}.${reader.name}`) };
  }

  private async enginePlan(): Promise<string[]> {
    const { leased, sql } = this.bound;
    const rows = await (await leased.connection.run(`EXPLAIN ${sql}`)).getRows();
    return String(rows[0]?.[1] ?? '')
      .trimEnd()
      .split('\n');
  }
}
