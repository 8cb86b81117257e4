// All queries of TPC-H in stages give what they give as they are, however many workers take part, and whether the sizes of
// finished stages or estimates decide.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StageTrial } from '@tutti/engine/testing';
import { generate } from './generate.js';
import { TPCH_QUERIES, tpchQuery } from './queries.js';
import { parseScale } from './scale.js';
import { TABLE_NAMES } from './schema.js';

const root = join(__dirname, '..', '..', '..');
const scale = parseScale('0.01')!;
/** Nearly everything is too large to be read whole. */
const tiny = { replicatedRowsMax: 10, broadcastRowsMax: 10 };
let trial: StageTrial;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-tpch-stages-'));
  const { signal } = new AbortController();
  await generate({ scale, directory, threads: 2, signal, onProgress: () => undefined });
  const setup = TABLE_NAMES.map((table) => `CREATE TABLE ${table} AS FROM '${directory}/${table}/*.parquet'`);
  trial = await StageTrial.create({ setup, splits: 5 });
  rmSync(directory, { recursive: true });
});

afterAll(() => trial.close());

test.each(TPCH_QUERIES)('query %d', async (number) => {
  const sql = tpchQuery(root, number, scale.factor);
  for (const settings of [
    { ...tiny, workers: 2, tasksPerWorker: 2, taskRows: 2_000, isAdaptive: true },
    { ...tiny, workers: 3, tasksPerWorker: 1, taskRows: 0, isAdaptive: false },
    { ...tiny, workers: 1, tasksPerWorker: 1, taskRows: 0, isAdaptive: true },
    { workers: 2, tasksPerWorker: 1, taskRows: 0, isAdaptive: true, replicatedRowsMax: 100, broadcastRowsMax: 1_500 },
  ]) {
    const { difference, whole, stages } = await trial.compare(sql, settings);
    expect({ difference, whole }).toEqual({ difference: undefined, whole: undefined });
    expect(stages.length).toBeGreaterThan(1);
  }
});
