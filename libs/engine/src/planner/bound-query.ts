import { invariant } from '@tutti/base';
import { describeColumns, engineLines, statementError } from '@tutti/sql';
import { type Column, type EnginePlan, type PlanOutcome, TaskError } from '../engine.js';
import { encodeFragment } from '../fragment.js';
import { explainJson } from './distribution-plan.js';
import type { PlanningConnection, Place } from './planning-connection.js';
import { MEND_TABLE } from './planning-tables.js';
import type { StubbedTable } from './stub-table.js';

/** A statement that has passed every check, on the connection on which it is bound. */
export interface Bound {
  readonly leased: PlanningConnection;
  readonly sql: string;
  readonly session: Place;
  readonly columns: readonly Column[];
  readonly tables: readonly StubbedTable[];
  /** How it can be cut into stages; undefined for a statement that is only described. */
  readonly plan: Promise<EnginePlan> | undefined;
}

/** What becomes of a bound query. */
export class BoundQuery {
  constructor(private readonly bound: Bound) {}

  query(): Promise<PlanOutcome> {
    return this.withPlan((plan) => Promise.resolve({ kind: 'query', ...this.work(), plan }));
  }

  describe(): Promise<PlanOutcome> {
    return Promise.resolve({ kind: 'rows', ...describeColumns(this.bound.columns) });
  }

  explain(isAnalyze: boolean): Promise<PlanOutcome> {
    return this.withPlan(async (plan) => {
      return { kind: 'explain', isAnalyze, ...this.work(), plan, enginePlan: await this.enginePlan(plan) };
    });
  }

  private async withPlan(use: (plan: EnginePlan) => Promise<PlanOutcome>): Promise<PlanOutcome> {
    invariant(this.bound.plan !== undefined, 'who asks for a plan has said so');
    let plan: EnginePlan;
    try {
      plan = await this.bound.plan;
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      invariant(error.reason === 'TABLE_UNREADABLE', 'planning only looks at files');
      return { kind: 'error', error: statementError('TABLE_UNREADABLE', `${error.message} ${MEND_TABLE}`) };
    }
    return use(plan);
  }

  private work() {
    const { sql, session, tables, columns } = this.bound;
    const { catalog, schema } = session;
    const readers = tables.map(({ reader }) => reader);
    const inputRows = Math.round(tables.reduce((sum, { rows }) => sum + rows, 0));
    const place = { catalog, schema };
    const fragment = encodeFragment({ version: 1, sql, session: place, inputRows, tables: readers, columns });
    return { columns, fragment, tables: readers.map((reader) => `${reader.catalog}.${reader.schema}.${reader.name}`) };
  }

  private async enginePlan(plan: EnginePlan): Promise<readonly string[]> {
    const { leased, sql } = this.bound;
    const known = plan.kind === 'plan' ? plan.explainJson : undefined;
    return engineLines(known ?? (await explainJson(leased.explainer, sql)));
  }
}
