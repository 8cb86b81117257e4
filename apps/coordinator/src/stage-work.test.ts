import type { Stage } from '@tutti/sql';
import { DISTRIBUTION_DEFAULTS } from './core/stage-settings.js';
import { makeTasks } from './core/stage-task.js';
import { workOf } from './query-plan.js';
import { StageWork } from './stage-work.js';
import { FakePlanner } from './testing/fake-planner.js';

async function workIn(format: 'rows' | 'jsonLines' | 'parquet'): Promise<StageWork> {
  const outcome = await new FakePlanner().plan('grouped', undefined, new AbortController().signal);
  if (outcome.kind !== 'query') throw new Error('it is a query');
  const { plan } = workOf(outcome);
  if (plan.kind !== 'distributed') throw new Error('it can be cut');
  return new StageWork({ plan, settings: DISTRIBUTION_DEFAULTS, workers: 2, format, exchangeKey: 'key' });
}

const divided = (kind: 'result' | 'files'): Stage => ({
  id: 'any',
  sql: 'SELECT c0',
  types: [],
  scans: [{ number: 0, table: 'demo.main.t', columns: [], share: 'own', bounds: [] }],
  reads: [],
  tasks: 4,
  output: { kind },
  estimatedRows: 1,
  operators: [],
  distribution: '',
});

test('the four splits of a table are counted by the tasks that read them', async () => {
  const work = await workIn('rows');
  const counts = (tasks: number) =>
    work.splitCounts({ stage: divided('files'), tasks: makeTasks('any', tasks), facts: undefined });
  expect(counts(2)).toEqual([2, 2]);
  expect(work.splitCounts({ stage: { ...divided('files'), scans: [] }, tasks: [], facts: undefined })).toEqual([]);
});

test('a Parquet result is one file: of the files of four tasks a reader would see the last one only', async () => {
  const work = await workIn('parquet');
  expect(work.taskCount(divided('result'))).toBe(1);
  expect(
    work.taskCount({ ...divided('result'), reads: [{ number: 0, stageId: 's', share: 'partition', types: [] }] }),
  ).toBe(1);
  expect(work.taskCount(divided('files'))).toBe(4);
});

test.each(['rows', 'jsonLines'] as const)('lines of a result in the format %s come from all tasks', async (format) => {
  expect((await workIn(format)).taskCount(divided('result'))).toBe(4);
});
