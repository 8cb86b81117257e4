import { randomInt, seededRandom } from '@tutti/base';
import type { PlanNode } from '../plan/plan.js';
import { cut, cutByEstimates } from './cut.js';
import type { CutSettings, Stage, StageFacts } from './stage.js';
import { col, compare, constant, equal, factsOf, group, join, scan, topN } from './testing/plans.js';

const settings: CutSettings = {
  workers: 2,
  tasksPerWorker: 2,
  taskRows: 0,
  replicatedRowsMax: 100,
  broadcastRowsMax: 1_000,
  isAdaptive: true,
};
const tables = new Map([
  ['big', { rows: 1_000_000, splits: 9, bytes: 1_000_000 }],
  ['other', { rows: 500_000, splits: 3, bytes: 1_000_000 }],
  ['small', { rows: 50, splits: 1, bytes: 1_000_000 }],
]);
const big = scan('big', 1_000_000);
const other = scan('other', 5_000);
const small = scan('small', 50);

const next = (plan: PlanNode, facts: ReadonlyMap<string, StageFacts> = new Map(), given = settings) =>
  cut(plan, facts, given, tables);

/** Runs a plan with these many rows for each stage, some stage of those that are wanted first, and tells all stages. */
function runAll(plan: PlanNode, rowsOf: (stage: Stage) => number, seed = 1): Stage[] {
  const random = seededRandom(seed);
  const facts = new Map<string, StageFacts>();
  const seen = new Map<string, Stage>();
  for (;;) {
    const outcome = next(plan, facts);
    if (outcome.kind === 'whole') throw new Error(outcome.reason);
    if (outcome.kind === 'final') return [...seen.values(), outcome.stage];
    for (const stage of outcome.stages) {
      expect(facts.has(stage.id)).toBe(false); // G1
      expect(stage).toEqual(seen.get(stage.id) ?? stage); // G1
      for (const { stageId } of stage.reads) expect(facts.has(stageId)).toBe(true);
      seen.set(stage.id, stage);
    }
    const stage = outcome.stages[randomInt(random, outcome.stages.length)] as Stage;
    facts.set(stage.id, factsOf(stage, rowsOf(stage)));
  }
}

const shapes = (stages: readonly Stage[]): string[] =>
  stages.map(({ id, tasks, distribution, reads }) =>
    [`${id} x${tasks} ${distribution}`, ...reads.map(({ stageId, share }) => `${share}:${stageId}`)].join(' '),
  );

test('a join reads its build side whole when its real rows are few, and drops what cannot match (J2, J3)', () => {
  const stages = runAll(join('inner', big, other), () => 20);
  expect(shapes(stages)).toEqual(['0-right x3 hash (c0)', 'final x4 result of all tasks all:0-right']);
  const [scanned] = stages[1]?.scans ?? [];
  expect(scanned?.bounds).toEqual([
    { column: 0, comparison: '>=', value: '3' },
    { column: 0, comparison: '<=', value: '90' },
  ]);
  expect(stages[1]?.sql).toContain("BETWEEN CAST('3' AS INTEGER) AND CAST('90' AS INTEGER)");
});

test('a join whose build side turns out large goes by hash, and what was written is not written again (J2)', () => {
  const stages = runAll(join('inner', big, other), () => 5_000);
  expect(shapes(stages)).toEqual([
    '0-right x3 hash (c0)',
    '0-left x4 hash (c0)',
    'final x4 result of all tasks partition:0-left partition:0-right',
  ]);
});

test('a build side that is surely large is not tried: both sides run at once', () => {
  const outcome = next(join('inner', big, scan('other', 500_000)));
  expect(outcome.kind === 'stages' && outcome.stages.map(({ id }) => id)).toEqual(['0-left', '0-right']);
});

test('rows of an outer side are not dropped, and their side is never read whole (J1)', () => {
  const stages = runAll(join('left', big, other), () => 20);
  expect(stages.at(-1)?.scans[0]?.bounds).toEqual([]);
  expect(shapes(runAll(join('left', small, other), () => 5_000)).slice(0, 2)).toEqual([
    '0-right x3 hash (c0)',
    '0-left x1 hash (c0)',
  ]);
  expect(shapes(runAll(join('full', small, other), () => 5))).toContain('0-left x1 hash (c0)');
});

test('IN needs all rows of its right side in every task: it is never divided by hash', () => {
  const stages = runAll(join('mark', big, other), () => 400_000);
  expect(shapes(stages)).toEqual(['0-right x3 files', 'final x4 result of all tasks all:0-right']);
});

test('a grouping by the columns by which a join went needs no further stage', () => {
  const stages = runAll(group(join('inner', big, other), [2], 900_000), () => 100_000);
  expect(stages.map(({ operators }) => operators.at(-1))).toEqual(['scan other', 'scan big', 'group']);
});

test('groups: in parts where the rows lie, then together; in one task when they are few', () => {
  expect(shapes(runAll(group(big, [0], 10_000), () => 7))).toEqual([
    '0-partial x4 hash (c0)',
    'final x1 result all:0-partial',
  ]);
  expect(shapes(runAll(group(big, [0], 10_000), () => 7_000))).toEqual([
    '0-partial x4 hash (c0)',
    'final x4 result of all tasks partition:0-partial',
  ]);
  expect(shapes(runAll(group(big, [], 1), () => 4))).toEqual(['0-partial x4 files', 'final x1 result all:0-partial']);
});

test('top-N: every task gives no more than its own best, and one task chooses', () => {
  const stages = runAll(topN(big, 10), () => 40);
  expect(stages[0]?.sql).toContain('ORDER BY t.c0 DESC NULLS LAST LIMIT 10');
  expect(shapes(stages)).toEqual(['0-gather x4 files', 'final x1 result all:0-gather']);
});

test('conditions of a scan become bounds for its splits', () => {
  const filters = [
    compare(col(1), '>=', constant(5)),
    compare(constant(9), '>', col(0)),
    compare(col(0), '<>', constant(1)),
  ];
  const stages = runAll(scan('big', 10, filters), () => 1);
  expect(stages[0]?.scans[0]?.bounds).toEqual([
    { column: 1, comparison: '>=', value: '5' },
    { column: 0, comparison: '<', value: '9' },
  ]);
});

test('nothing divided, or nothing read: the statement runs whole', () => {
  const noTable: PlanNode = { op: 'values', rows: [[]], types: [], estimatedRows: 1 };
  expect(next(join('inner', small, small))).toEqual({
    kind: 'whole',
    reason: 'small input: no table has more than 100 rows to be read',
  });
  expect(next(noTable)).toEqual({ kind: 'whole', reason: 'no table is read' });
});

test('the first rows of a table, whichever they are, are read by one worker; what may have to look further is divided', () => {
  const limit = (child: PlanNode, rows: number, offset = 0): PlanNode => ({
    ...{ op: 'limit', child, limit: rows, offset },
    ...{ types: child.types, estimatedRows: rows },
  });
  const reason = 'no more than the first 100 rows of its table are read';
  expect(next(limit(big, 90, 10))).toEqual({ kind: 'whole', reason });
  for (const divided of [
    limit(big, 101),
    limit(big, 90, 11),
    limit(scan('big', 10, [compare(col(1), '>=', constant(5))]), 10),
    limit(group(big, [0], 10), 10),
    topN(big, 10),
  ])
    expect(next(divided).kind).toBe('stages');
});

test('what cannot be cut is known at the first cut, whatever the facts (K1)', () => {
  const marks = join('mark', big, other, [equal(0, 0), equal(1, 1)]);
  expect(next(join('inner', marks, other))).toEqual({
    kind: 'whole',
    reason: 'IN or ANY over several columns at once',
  });
});

test('by estimates all stages are known at once, and facts change none (C2)', () => {
  const plan = topN(group(join('inner', join('semi', big, other), scan('other', 100)), [0], 5_000), 10);
  const fixed = { ...settings, isAdaptive: false };
  const expected = cutByEstimates(plan, fixed, tables);
  const all = expected.kind === 'cut' ? expected.stages : [];
  const facts = new Map<string, StageFacts>();
  for (;;) {
    const outcome = next(plan, facts, fixed);
    if (outcome.kind === 'whole') throw new Error(outcome.reason);
    const stages = outcome.kind === 'final' ? [outcome.stage] : outcome.stages;
    for (const stage of stages) {
      expect(all).toContainEqual(stage);
      facts.set(stage.id, factsOf(stage, 123_456));
    }
    if (outcome.kind === 'final') break;
  }
  expect(facts.size).toBe(all.length);
});

test('in whatever order stages finish, a stage is the same (G1)', () => {
  const side = (key: number): PlanNode => group(join('inner', big, other, [equal(key, 0)]), [0, 1], 50_000);
  const plan = join('left', join('inner', side(0), side(1)), join('anti', other, side(1)));
  const rowsOf = ({ id }: Stage): number =>
    [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 3_000, 7);
  const byId = (stages: readonly Stage[]): Stage[] => [...stages].sort((a, b) => (a.id < b.id ? -1 : 1));
  const first = byId(runAll(plan, rowsOf));
  for (let seed = 2; seed < 40; seed++) expect(byId(runAll(plan, rowsOf, seed))).toEqual(first);
});
