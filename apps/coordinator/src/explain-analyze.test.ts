import type { Stage } from '@tutti/sql';
import { noUse } from './core/query.js';
import { StageStats, type TaskFigures } from './core/stage-stats.js';
import { type KnownStage, makeTasks } from './core/stage-task.js';
import { analysisLines, skewOf } from './explain-analyze.js';

const use = {
  ...noUse,
  rows: 2,
  resultBytes: 2_048,
  cpuMs: 1_500,
  peakMemoryBytes: 3 << 20,
  spilledBytes: 1 << 20,
  workerIds: ['w1', 'w2'],
};

const stageOf = (id: string, kind: 'files' | 'result'): Stage => ({
  id,
  sql: 'SELECT 1 AS c0',
  types: [],
  scans: [],
  reads: id === 'final' ? [{ number: 0, stageId: 's1', share: 'all', types: [] }] : [],
  tasks: 8,
  output: { kind },
  estimatedRows: 10,
  operators: [`${id} operator`],
  distribution: 'single',
});

const knownStage = (id: string, kind: 'files' | 'result', tasks: number): KnownStage => ({
  stage: stageOf(id, kind),
  tasks: makeTasks(id, tasks),
  facts: undefined,
});

const figures = (stageId: string, index: number, change: Partial<TaskFigures> = {}): TaskFigures => ({
  stageId,
  index,
  attempt: 1,
  workerId: index % 2 === 0 ? 'w1' : 'w2',
  rows: 5,
  bytes: 1_024,
  elapsedMs: 100,
  cpuMs: 80,
  inputWaitMs: 10,
  peakMemoryBytes: 1 << 20,
  spilledBytes: 0,
  fetchedBytes: 512,
  ...change,
});

const tables = new Map();

test('tells of each stage what was expected and what was, of its tasks, and how uneven they are', () => {
  const stats = new StageStats();
  stats.taskRetried();
  stats.taskFinished(figures('s1', 1, { elapsedMs: 400, attempt: 2, peakMemoryBytes: 2 << 20, spilledBytes: 1 << 20 }));
  stats.taskFinished(figures('s1', 0));
  stats.taskFinished(figures('s1', 2));
  stats.taskFinished(figures('final', 0, { rows: 2 }));
  const stages = [knownStage('s1', 'files', 3), knownStage('final', 'result', 1)];
  const progress = stats.progress(stages, ({ stage, tasks }) => tasks.map(() => (stage.id === 's1' ? 7 : 0)));
  const run = { kind: 'stages', stages, progress, stats, tables } as const;
  const lines = analysisLines({ elapsedMs: 600, queuedMs: 50, use, run });
  expect(lines).toEqual([
    'Ran in 2 stages and 4 tasks (1 started again) on w1 w2',
    'Took 600.00ms after 50.00ms in the queue, 2 rows of result (2.00kB), thrown away, CPU 1.50s, peak memory 3.00MB, spilled 1.00MB',
    'Read 21 splits, exchanged 15 rows (3.00kB)',
    '',
    'Stage final [1 task]',
    '    Output: single, about 10 rows',
    '    Operators: final operator',
    '    Read: stage s1, whole in every task',
    '    Rows: 2 (about 10 expected), 1.00kB',
    '    Time: median 100.00ms, most 100.00ms (task 0)',
    '    Use: CPU 80.00ms, longest wait for input 10.00ms, peak memory of a task 1.00MB, spilled 0B, fetched 512B',
    '    Task 0: 2 rows, 1.00kB, ran 100.00ms after a wait for input of 10.00ms, CPU 80.00ms, peak memory 1.00MB, spilled 0B, fetched 512B, worker w1',
    '',
    'Stage s1 [3 tasks]',
    '    Output: single, about 10 rows',
    '    Operators: s1 operator',
    '    Rows: 15 (about 10 expected), 3.00kB',
    '    Time: median 100.00ms, most 400.00ms (task 1), skew 4.0',
    '    Use: CPU 240.00ms, longest wait for input 10.00ms, peak memory of a task 2.00MB, spilled 1.00MB, fetched 1.50kB',
    '    Task 0: 5 rows, 1.00kB, ran 100.00ms after a wait for input of 10.00ms, CPU 80.00ms, peak memory 1.00MB, spilled 0B, fetched 512B, worker w1',
    '    Task 1: 5 rows, 1.00kB, ran 400.00ms after a wait for input of 10.00ms, CPU 80.00ms, peak memory 2.00MB, spilled 1.00MB, fetched 512B, worker w2, attempt 2',
    '    Task 2: 5 rows, 1.00kB, ran 100.00ms after a wait for input of 10.00ms, CPU 80.00ms, peak memory 1.00MB, spilled 0B, fetched 512B, worker w1',
  ]);
});

test('a query that ran whole has the figures of its one task, and why', () => {
  const lines = analysisLines({
    elapsedMs: 20,
    queuedMs: 0,
    use: { ...use, rows: 1, workerIds: ['w1'] },
    run: { kind: 'whole', reason: 'small input' },
  });
  expect(lines).toEqual([
    'Ran whole on one worker, w1: small input',
    'Took 20.00ms, 1 row of result (2.00kB), thrown away, CPU 1.50s, peak memory 3.00MB, spilled 1.00MB',
  ]);
});

test('a query that is over before its use was asked for has the use that its tasks told', () => {
  const stats = new StageStats();
  for (const index of [0, 1]) stats.taskFinished(figures('s1', index, { spilledBytes: 1 << 20 }));
  const stages = [knownStage('s1', 'files', 2)];
  const run = { kind: 'stages', stages, progress: stats.progress(stages, () => []), stats, tables } as const;
  const unknown = { ...use, cpuMs: 0, peakMemoryBytes: 0, spilledBytes: 0 };
  const [, totals] = analysisLines({ elapsedMs: 1, queuedMs: 0, use: unknown, run });
  expect(totals).toMatch(/, CPU 160\.00ms, peak memory 1\.00MB, spilled 2\.00MB$/);
});

test('of very many tasks a hundred are listed, and all are counted', () => {
  const stats = new StageStats();
  for (let index = 0; index < 130; index++) stats.taskFinished(figures('s1', index));
  const stages = [knownStage('s1', 'files', 130)];
  const progress = stats.progress(stages, () => []);
  const run = { kind: 'stages', stages, progress, stats, tables } as const;
  const lines = analysisLines({ elapsedMs: 1, queuedMs: 0, use, run });
  expect(lines.filter((line) => line.startsWith('    Task '))).toHaveLength(100);
  expect(lines.at(-1)).toBe('    and 30 tasks more');
  expect(lines.join('\n')).toContain('Rows: 650');
});

test.each([
  [[], undefined],
  [[5], undefined],
  [[0, 0], undefined],
  [[2, 2], 1],
  [[1, 2, 3, 10], 4],
])('the skew of %j is %s', (times, skew) => {
  expect(skewOf(times)).toBe(skew);
});
