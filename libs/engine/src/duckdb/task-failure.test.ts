import type { TableReader } from '../fragment.js';
import { readDuckdbError } from './duckdb-error.js';
import { toTaskError } from './task-failure.js';

const table = (name: string, ...files: string[]): TableReader => ({
  catalog: 'own',
  schema: 'main',
  name,
  format: files.some((file) => file.endsWith('.parquet')) ? 'parquet' : 'csv',
  files,
  columns: [],
});

const failureOf = (type: string, message: string) =>
  toTaskError(readDuckdbError(new Error(JSON.stringify({ exception_type: type, exception_message: message }))), {
    statement: 'FROM t',
    memoryLimitBytes: 2 ** 27,
    spillLimitBytes: 2 ** 30,
    spillDirectory: '/spill/tutti-spill-1-a/task-1',
    tables: [table('t', '/data/t.csv', '/data/t.csv.old'), table('p', '/data/p1.parquet', '/data/p2.parquet')],
  });

test('a full spill disk is a spill limit, not an unreadable table', () => {
  const file = '/spill/tutti-spill-1-a/task-1/duckdb_temp_storage_DEFAULT-0.tmp';
  expect(failureOf('IO', `Could not write file "${file}": No space left on device`)).toMatchObject({
    reason: 'EXCEEDED_SPILL_LIMIT',
    retriable: true,
    message: expect.stringMatching(
      /the spill directory of the worker is full\. .*task\.spillDirectory.*narrow the query/,
    ),
  });
});

test.each([
  [
    'Invalid Input',
    'Failed to read file "/data/p2.parquet": schema mismatch in glob: column "a" was read from the original file "/data/p1.parquet", but could not be found in file "/data/p2.parquet".\nCandidate names: x',
    'Table own.main.p cannot be read: file /data/p2.parquet: it has no column "a", which the catalog declares.',
  ],
  [
    'Invalid Input',
    'CSV Error on Line: 7\nOriginal Line: /data/p1.parquet\nMaximum line size of 2000000 bytes exceeded. Actual Size:3000000 bytes.\nPossible Solution: Change the maximum length size, e.g., max_line_size=3000002\n\n  file = /data/t.csv.old\n  delimiter = , (Set By User)\n',
    'Table own.main.t cannot be read: file /data/t.csv.old: line 7 is longer than 2000000 bytes.',
  ],
  [
    'Invalid',
    'Variable-length int over 10 bytes.',
    'Table own.main.p cannot be read: a Parquet file of it is damaged: its pages or its footer make no sense.',
  ],
  [
    'Invalid',
    "don't know what type: \\u000F",
    'Table own.main.p cannot be read: a Parquet file of it is damaged: its pages or its footer make no sense.',
  ],
  [
    'Invalid Input',
    'Failed to read file "/data/p1.parquet": Snappy decompression failure',
    'Table own.main.p cannot be read: file /data/p1.parquet: it is damaged (Snappy decompression failure).',
  ],
  [
    'IO',
    'Could not read from file: Input/output error',
    'One of the tables own.main.t, own.main.p cannot be read: Could not read from file: Input/output error.',
  ],
])('%s errors of readers name table and file, and give no advice that nobody can follow', (type, message, expected) => {
  expect(failureOf(type, message)).toMatchObject({ reason: 'TABLE_UNREADABLE', message: expected });
});

test('a value of the query that is no JSON does not make a table unreadable', () => {
  const message = 'Malformed JSON at byte 1 of input: unexpected character.  Input: "{0"';
  expect(failureOf('Conversion', message)).toMatchObject({ reason: 'QUERY_FAILED' });
});
