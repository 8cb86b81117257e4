import { explainPlan, keptWhole } from './explain.js';
import { DISTRIBUTION_DEFAULTS as auto } from './core/stage-settings.js';
import type { QueryWork } from './core/query-work.js';
import { workOf } from './query-plan.js';
import { FakePlanner } from './testing/fake-planner.js';

const enginePlan = ['HASH_GROUP_BY', 'READ_PARQUET'];

async function planOf(statement: string): Promise<QueryWork['plan']> {
  const outcome = await new FakePlanner().plan(statement, undefined, new AbortController().signal);
  if (outcome.kind !== 'query') throw new Error(`${statement} is no query`);
  return workOf(outcome).plan;
}

test('a query that is cut is shown stage by stage, the last one first, with the plan of the engine behind', async () => {
  const plan = await planOf('grouped');
  const lines = explainPlan({ plan, settings: auto, workers: 2, enginePlan });
  expect(lines[0]).toBe('Stage final [1 task]');
  const text = lines.join('\n');
  expect(text).toMatch(/Scan: demo\.main\.t \(.*\), 4 splits divided, where b > 1/);
  expect(text.endsWith('\n\nPlan of the engine:\nHASH_GROUP_BY\nREAD_PARQUET')).toBe(true);
});

test.each([
  ['rows 1', auto, 2, 'the fake planner makes no plans'],
  ['grouped', { ...auto, distribution: 'single' as const }, 2, 'the setting distribution is "single"'],
  ['grouped', auto, 1, 'only one worker is active'],
  ['grouped', auto, 0, 'no worker is active'],
  [
    'grouped',
    { ...auto, replicatedRowsMax: 100_000_000 },
    2,
    'small input: no table has more than 100000000 rows to be read',
  ],
])('%s with %j on %d workers runs whole, since %s', async (statement, settings, workers, reason) => {
  const lines = explainPlan({ plan: await planOf(statement), settings, workers, enginePlan });
  expect(lines).toEqual([`Runs whole on one worker: ${reason}`, '', 'Plan of the engine:', ...enginePlan]);
});

test('a query is forced into stages also where one worker, or none, is active', () => {
  expect([0, 1].map((workers) => keptWhole({ ...auto, distribution: 'forced' }, workers))).toEqual([
    undefined,
    undefined,
  ]);
});
