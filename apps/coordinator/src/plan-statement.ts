import type { PlanOutcome, Planner } from '@tutti/engine';
import type { Log } from '@tutti/service';
import { statementError } from '@tutti/sql';
import type { LiveQuery } from './live-query.js';
import { answerSessionStatement } from './session-statements.js';

/**
 * Checks and binds the statement of a query. The planner bounds its time; its failures become outcomes too. What is about the
 * session is answered here, and the query told of it.
 */
export async function planStatement(planner: Planner, query: LiveQuery, log: Log): Promise<PlanOutcome> {
  const outcome = answerSession(query) ?? (await plan(planner, query, log));
  const isOwnAnswer = outcome.kind === 'explain' || (outcome.kind === 'rows' && outcome.columns.length > 0);
  return isOwnAnswer && query.resultFormat === 'parquet' ? noParquet : outcome;
}

function answerSession(query: LiveQuery): PlanOutcome | undefined {
  const { statement, session, distributionDefaults: defaults } = query;
  const answer = answerSessionStatement(statement, { properties: session.properties, defaults });
  if (answer?.change !== undefined) query.changesSession(answer.change);
  return answer?.outcome;
}

/** The coordinator writes no Parquet files: workers do. */
const noParquet: PlanOutcome = {
  kind: 'error',
  error: statementError(
    'NOT_SUPPORTED',
    'Only rows of queries come as Parquet. SHOW, DESCRIBE and EXPLAIN answer in the other result formats.',
  ),
};

async function plan(planner: Planner, query: LiveQuery, log: Log): Promise<PlanOutcome> {
  try {
    const { catalog, schema } = query.session;
    const { distribution } = query.distribution;
    return await planner.plan(query.statement, { catalog, schema, distribution }, query.signal);
  } catch (error) {
    if (!query.ended) log.error('planner-failed', { queryId: query.queryId, error });
    const message = 'The coordinator could not plan the statement because of an error of its own.';
    return { kind: 'error', error: { reason: 'INTERNAL_ERROR', message, line: 0, column: 0 } };
  }
}
