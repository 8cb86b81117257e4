import type { StageFacts } from '@tutti/sql';
import type { DistributedPlan } from './core/query-work.js';
import { DISTRIBUTION_DEFAULTS } from './core/stage-settings.js';
import { CUTS_MAX, PlanCuts } from './plan-cuts.js';
import { workOf } from './query-plan.js';
import { FakePlanner } from './testing/fake-planner.js';

async function grouped(): Promise<DistributedPlan> {
  const outcome = await new FakePlanner().plan('grouped', undefined, new AbortController().signal);
  if (outcome.kind !== 'query') throw new Error('it is a query');
  const { plan } = workOf(outcome);
  if (plan.kind !== 'distributed') throw new Error('it can be cut');
  return plan;
}

const settings = { ...DISTRIBUTION_DEFAULTS, workers: 2 };
const none = new Map<string, StageFacts>();
const factsOf = (stageId: string, rows: number) =>
  new Map([[stageId, { rows, bytes: 8 * rows, partitionRows: [rows], ranges: [] }]]);

test('C1: a plan that is used again is not cut again for the same settings and facts', async () => {
  const plan = await grouped();
  const cuts = PlanCuts.of(plan);
  const first = cuts.next(none, settings);
  expect(first.kind).toBe('stages');
  const [stage] = first.kind === 'stages' ? first.stages : [];
  expect(PlanCuts.of(plan).next(none, { ...settings })).toBe(first);
  const { id = '' } = stage ?? {};
  const final = cuts.next(factsOf(id, 10), settings);
  expect(final.kind).toBe('final');
  expect(cuts.next(factsOf(id, 10), settings)).toBe(final);
});

test('C1: other facts, other settings and another plan are cut anew', async () => {
  const plan = await grouped();
  const cuts = PlanCuts.of(plan);
  const first = cuts.next(none, settings);
  expect(cuts.next(none, { ...settings, workers: 3 })).not.toBe(first);
  expect(cuts.next(none, { ...settings, tasksPerWorker: 1 })).not.toBe(first);
  const [stage] = first.kind === 'stages' ? first.stages : [];
  const { id = '' } = stage ?? {};
  expect(cuts.next(factsOf(id, 10), settings)).not.toBe(cuts.next(factsOf(id, 11), settings));
  expect(PlanCuts.of(await grouped()).next(none, settings)).not.toBe(first);
});

test('C2: of many cuts those that came first are forgotten', async () => {
  const cuts = PlanCuts.of(await grouped());
  const first = cuts.next(none, settings);
  for (let workers = 3; workers < 3 + CUTS_MAX; workers++) cuts.next(none, { ...settings, workers });
  const again = cuts.next(none, settings);
  expect(again).not.toBe(first);
  expect(again).toEqual(first);
});

test('the splits that the bounds of a scan leave are looked for once', async () => {
  const cuts = PlanCuts.of(await grouped());
  const first = cuts.next(none, settings);
  const [scan] = first.kind === 'stages' ? (first.stages[0]?.scans ?? []) : [];
  if (scan === undefined) throw new Error('it scans a table');
  expect(cuts.splitsOf(scan)).toHaveLength(4);
  expect(cuts.splitsOf(scan)).toBe(cuts.splitsOf(scan));
});
