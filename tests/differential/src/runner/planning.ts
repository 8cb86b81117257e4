import { type LocalPlanner, openLocalPlanner } from '@tutti/engine/testing';
import { workOf } from '@tutti/coordinator-app/testing';
import { CATALOG, type TestData } from '../data/test-data.js';

type Work = ReturnType<typeof workOf>;
/** What a distributed query runs. */
export type PlannedStatement = Extract<Work['plan'], { kind: 'distributed' }>;

export type Planned =
  | { readonly kind: 'plan'; readonly plan: PlannedStatement }
  | { readonly kind: 'whole'; readonly reason: string }
  | { readonly kind: 'error'; readonly message: string };

/** The planner of coordinators, asked for stages always. */
export class Planning {
  private constructor(private readonly planner: LocalPlanner) {}

  static async open({ catalogs, directory }: TestData): Promise<Planning> {
    return new Planning(await openLocalPlanner(catalogs, directory));
  }

  async plan(sql: string): Promise<Planned> {
    const outcome = await this.planner.plan(sql, { catalog: CATALOG, schema: 'main', distribution: 'forced' });
    if (outcome.kind === 'error') return { kind: 'error', message: outcome.error.message };
    if (outcome.kind !== 'query') throw new Error(`${sql} is no query`);
    const { plan } = workOf(outcome);
    return plan.kind === 'whole' ? plan : { kind: 'plan', plan };
  }

  close(): Promise<void> {
    return this.planner.close();
  }
}
