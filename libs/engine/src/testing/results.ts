import type { JsonValue, Planner, PlanOutcome, TaskRun } from '../engine.js';

const SESSION = { catalog: 'demo', schema: 'main' };

/** Plans a statement that is expected to be a query. */
export async function planOrThrow(
  planner: Planner,
  statement: string,
): Promise<Extract<PlanOutcome, { kind: 'query' }>> {
  const outcome = await planner.plan(statement, SESSION, new AbortController().signal);
  if (outcome.kind !== 'query') throw new Error(`${statement} is no query: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Reads all rows of a task. */
export async function readAll(run: TaskRun): Promise<JsonValue[][]> {
  const rows: JsonValue[][] = [];
  for await (const batch of run.batches)
    for (const line of new TextDecoder().decode(batch).split('\n'))
      if (line !== '') rows.push(JSON.parse(line) as JsonValue[]);
  return rows;
}
