import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlanCache } from './plan-cache.js';
import { lookAtFile } from './plan-files.js';
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

describe('K1: a plan that knows files', () => {
  const asPlanned = { bytes: 1, mtimeMs: 1 };

  test.each([
    ['is used again while they are as they were', asPlanned, 1],
    ['is made anew when one has another size', { ...asPlanned, bytes: 2 }, 3],
    ['is made anew when one was written again', { ...asPlanned, mtimeMs: 2 }, 3],
    ['is made anew when one is gone', undefined, 3],
  ])('%s', async (_, found, plannings) => {
    const planner = new FakePlanner();
    const looked: string[] = [];
    const cache = new PlanCache(planner, undefined, async (path) => {
      looked.push(path);
      return found;
    });
    const [first] = [await cache.plan('grouped', demo, never), await cache.plan('grouped', demo, never)];
    const { bytes } = cache;
    expect(await cache.plan('grouped', demo, never)).toEqual(first);
    expect(planner.planned).toHaveLength(plannings);
    expect(looked).toEqual(['/t.parquet', '/t.parquet']);
    expect(cache.bytes).toBe(bytes);
  });

  test('is made anew when its statement asks for the time, which is a constant of it', async () => {
    const planner = new FakePlanner();
    const cache = new PlanCache(planner, undefined, async () => asPlanned);
    for (let run = 0; run < 2; run++) await cache.plan('grouped since now()', demo, never);
    expect(planner.planned).toHaveLength(2);
  });

  test('is made anew when not all of them could be read in time', async () => {
    const planner = new FakePlanner();
    const plan = planner.plan.bind(planner);
    planner.plan = async (...asked) => {
      const outcome = await plan(...asked);
      if (outcome.kind !== 'query' || outcome.plan.kind !== 'plan') throw new Error('it has no plan');
      return { ...outcome, plan: { ...outcome.plan, isProvisional: true } };
    };
    const cache = new PlanCache(planner, undefined, async () => asPlanned);
    await cache.plan('grouped', demo, never);
    await cache.plan('grouped', demo, never);
    expect(planner.planned).toHaveLength(2);
    expect(cache.bytes).toBe(0);
  });
});

test('files on disk are compared as the planner saw them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-plan-cache-'));
  const path = join(directory, 't');
  writeFileSync(path, 'four');
  utimesSync(path, 7, 7);
  expect(await lookAtFile(path)).toEqual({ bytes: 4, mtimeMs: 7_000 });
  rmSync(directory, { recursive: true });
  expect(await lookAtFile(path)).toBeUndefined();
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
