import type { TableReader } from '../fragment.js';
import { type TestFiles, writeTestFiles } from '../testing/index.js';
import { TableSplits } from './table-splits.js';

let files: TestFiles;
beforeAll(async () => (files = await writeTestFiles()));
afterAll(() => files.remove());

const reader = (paths: readonly string[]): TableReader => ({
  catalog: 'demo',
  schema: 'main',
  name: 'flights',
  format: 'parquet',
  files: paths,
  columns: [{ name: 'ID', type: 'INTEGER' }],
});

test('S1: whoever does not wait has whole files, and later ones have what was read meanwhile', async () => {
  const splits = new TableSplits({ waitMs: 0 });
  const table = { reader: reader([files.files.flights]), rows: 5_000 };
  expect(await splits.find(table, new Set(['ID']))).toMatchObject({
    rows: 5_000,
    splits: [{ rows: 5_000, ranges: {} }],
    isProvisional: true,
  });
  await splits.idle();
  const found = await splits.find(table, new Set(['ID']));
  // Names of columns are the same in any case.
  expect(found).toMatchObject({ rows: 10_000, splits: [{ rows: 10_000, ranges: { ID: { min: '0', max: '9999' } } }] });
  expect(found.isProvisional).toBe(false);
  await splits.close();
});

test('S2: plannings at the same time read the footers once, and all have them', async () => {
  const splits = new TableSplits();
  const table = { reader: reader([files.files.flights]), rows: 1 };
  const found = await Promise.all([1, 2, 3].map(() => splits.find(table, new Set())));
  expect(found.map(({ rows }) => rows)).toEqual([10_000, 10_000, 10_000]);
  await splits.close();
});

test('S3: footers are read ahead, also when there are tables that cannot be read, and then nobody waits for them', async () => {
  const splits = new TableSplits({ waitMs: 0 });
  const [gone, table] = [['/nowhere.parquet'], [files.files.flights]].map((paths) => ({
    reader: reader(paths),
    rows: 1,
  }));
  if (gone === undefined || table === undefined) throw new Error('two tables');
  await splits.readAhead([gone, table]);
  await splits.idle();
  expect(await splits.find(table, new Set())).toMatchObject({ rows: 10_000, isProvisional: false });
  await splits.close();
});

test('of several files the one is named that cannot be read, and others are read the next time', async () => {
  const splits = new TableSplits();
  const broken = { reader: reader([files.files.flights, files.files.airports]), rows: 1 };
  await expect(splits.find(broken, new Set())).rejects.toMatchObject({
    reason: 'TABLE_UNREADABLE',
    message: expect.stringContaining(files.files.airports),
  });
  expect(await splits.find({ reader: reader([files.files.flights]), rows: 1 }, new Set())).toMatchObject({
    rows: 10_000,
  });
  await splits.close();
});
