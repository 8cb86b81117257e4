import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { generate, type Progress } from './generate.js';
import { keyRanges, parseScale } from './scale.js';
import { TABLE_NAMES } from './schema.js';

const directories: string[] = [];

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'tutti-tpch-'));
  directories.push(directory);
  return directory;
};

afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

async function make(scale: string, threads: number) {
  const directory = newDirectory();
  const seen: Progress[] = [];
  const { signal } = new AbortController();
  const onProgress = (progress: Progress) => void seen.push(progress);
  const tables = await generate({ scale: parseScale(scale)!, directory, threads, signal, onProgress });
  const checksum = (path: string) =>
    createHash('sha256')
      .update(readFileSync(join(directory, path)))
      .digest('hex');
  const checksums = Object.values(tables).flatMap((files) => files.map(({ path }) => [path, checksum(path)]));
  return { directory, tables, seen, checksums };
}

test('one thread and two write the same bytes (W1), large tables in several files', async () => {
  const one = await make('0.1', 1);
  const two = await make('0.1', 2);
  expect(two.checksums).toEqual(one.checksums);
  expect(two.tables.lineitem).toHaveLength(4);
  expect(two.tables.orders.map(({ rows }) => rows)).toEqual([37_500, 37_500, 37_500, 37_500]);
});

test('progress counts every row and names each table once when it is done', async () => {
  const { tables, seen } = await make('0.01', 1);
  const done = seen.filter(({ tableDone }) => tableDone).map(({ table }) => table);
  expect(done.sort()).toEqual([...TABLE_NAMES].sort());
  const written = Object.values(tables).flatMap((files) => files.map(({ rows }) => rows));
  expect(seen.at(-1)?.rows).toBe(written.reduce((sum, rows) => sum + rows, 0));
  expect(Math.abs((seen.at(-1)?.rowsExpected ?? 0) / (seen.at(-1)?.rows ?? 1) - 1)).toBeLessThan(0.05);
});

test('what does not depend on the scale is the same at every scale (R1)', async () => {
  const [small, large] = [await make('0.01', 1), await make('0.02', 1)];
  const duckdb = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await duckdb.connect();
  const lines = async (directory: string) => {
    const reader = await connection.runAndReadAll(
      `SELECT * EXCLUDE (l_partkey, l_suppkey, l_extendedprice) FROM read_parquet('${directory}/lineitem/*.parquet')
       WHERE l_orderkey <= 60000 ORDER BY l_orderkey, l_linenumber`,
    );
    return reader.getRowsJson();
  };
  expect(await lines(large.directory)).toEqual(await lines(small.directory));
  connection.closeSync();
  duckdb.closeSync();
});

test('an interrupted generation ends with the reason of the interruption', async () => {
  const stop = new AbortController();
  const made = generate({
    scale: parseScale('0.1')!,
    directory: newDirectory(),
    threads: 2,
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await expect(made).rejects.toThrow('enough');
});

test.each(['0.01', '0.1', '0.25', '1', '1.0', '10', '3.50'])('%s is a scale', (text) => {
  expect(parseScale(text)?.factor).toBe(Number(text));
});

test.each(['0', '0.001', '0.015', '10.01', '11', '100', '-1', 'NaN', '', '1e1', '0x1', ' 1'])(
  '%j is no scale',
  (text) => {
    expect(parseScale(text)).toBeUndefined();
  },
);

test('at every scale the four suppliers of a part differ', () => {
  for (let hundredths = 1; hundredths <= 1000; hundredths++) {
    const { suppliers, parts } = parseScale(String(hundredths / 100))!;
    // Suppliers of a part are `step` apart, and steps grow by one with every `suppliers` parts.
    for (let round = 0; round * suppliers < parts; round++) {
      const step = Math.floor(suppliers / 4) + round;
      for (const apart of [1, 2, 3]) expect((apart * step) % suppliers).not.toBe(0);
    }
  }
});

test('ranges cover all keys once and are not too long', () => {
  for (const [count, least, most] of [
    [5, 1, 100],
    [10, 4, 100],
    [1_000_001, 4, 500],
    [8, 8, 1],
  ] as const) {
    const ranges = keyRanges(count, least, most);
    expect(ranges.length).toBeGreaterThanOrEqual(least);
    expect(ranges[0]?.first).toBe(1);
    expect(ranges.at(-1)?.last).toBe(count);
    ranges.forEach((range, index) => {
      expect(range.last - range.first + 1).toBeLessThanOrEqual(most);
      if (index > 0) expect(range.first).toBe((ranges[index - 1]?.last ?? 0) + 1);
    });
  }
});
