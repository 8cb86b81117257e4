import { PlanCache } from './plan-cache.js';
import { FakePlanner } from './testing/fake-planner.js';

const never = new AbortController().signal;
const demo = { catalog: 'demo', schema: 'main' };

test('a statement that was planned is not planned again, in the same session', async () => {
  const planner = new FakePlanner();
  const cache = new PlanCache(planner);
  const first = await cache.plan('rows 1', demo, never);
  expect(await cache.plan('rows 1', demo, never)).toEqual(first);
  await cache.plan('rows 1', { ...demo, catalog: 'tpch' }, never);
  await cache.plan('rows 2', demo, never);
  await cache.plan('rows 2', { ...demo, distribution: 'single' }, never);
  expect(planner.planned).toEqual(['rows 1', 'rows 1', 'rows 2', 'rows 2']);
});

test('K1: errors and answers of the coordinator itself are made anew', async () => {
  const planner = new FakePlanner();
  const cache = new PlanCache(planner);
  for (const statement of ['typo', 'typo', 'show catalogs', 'show catalogs']) await cache.plan(statement, demo, never);
  expect(planner.planned).toHaveLength(4);
  expect(cache.bytes).toBe(0);
});

test('K1: a plan that knows files is made anew, since files change', async () => {
  const planner = new FakePlanner();
  const cache = new PlanCache(planner);
  await cache.plan('grouped', demo, never);
  await cache.plan('grouped', demo, never);
  expect(planner.planned).toHaveLength(2);
});

test('K2: it stays within its bytes, and forgets what has not been used for longest', async () => {
  const planner = new FakePlanner();
  const cache = new PlanCache(planner, 500);
  const plan = (statement: string) => cache.plan(statement.padEnd(50, '.'), demo, never);
  await plan('rows 1');
  await plan('rows 2');
  await plan('rows 1');
  await plan('rows 3');
  expect(cache.bytes).toBeLessThanOrEqual(500);
  planner.planned.length = 0;
  await plan('rows 1');
  await plan('rows 2');
  expect(planner.planned.map((statement) => statement.slice(0, 6))).toEqual(['rows 2']);
  await plan('rows '.padEnd(1_000, '9'));
  expect(cache.bytes).toBeLessThanOrEqual(500);
});
