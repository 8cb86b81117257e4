import type { PlanOutcome, Planner } from '@tutti/engine';
import type { Log } from '@tutti/service';
import type { LiveQuery } from './live-query.js';

/** Checks and binds the statement of a query. The planner bounds its time; its failures become outcomes too. */
export async function planStatement(planner: Planner, query: LiveQuery, log: Log): Promise<PlanOutcome> {
  try {
    const { catalog, schema } = query.session;
    return await planner.plan(query.statement, { catalog, schema }, query.signal);
  } catch (error) {
    if (!query.ended) log.error('planner-failed', { queryId: query.queryId, error });
    const message = 'The coordinator could not plan the statement because of an error of its own.';
    return { kind: 'error', error: { reason: 'INTERNAL_ERROR', message, line: 0, column: 0 } };
  }
}
