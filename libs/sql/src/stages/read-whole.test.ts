import type { Fragment } from './fragment.js';
import { readWhole } from './read-whole.js';
import { BIGINT, VARCHAR } from './testing/plans.js';

const settings = {
  workers: 2,
  tasksPerWorker: 4,
  taskRows: 5_000_000,
  replicatedRowsMax: 200_000,
  broadcastRowsMax: 200_000,
  isAdaptive: true,
};

const scanned = (rows: number, type = BIGINT, change: Partial<Fragment> = {}): Fragment => ({
  sql: 'SELECT t.c0 AS c0',
  commons: [],
  types: [type],
  distribution: { kind: 'divided', hash: undefined },
  estimatedRows: rows,
  scans: [
    {
      number: 0,
      table: 't',
      columns: [{ name: 'a', type }],
      share: 'own',
      bounds: [],
      wanted: [],
      rows,
      splits: 9,
      ranges: undefined,
    },
  ],
  reads: [],
  operators: [],
  origins: [undefined],
  stored: undefined,
  isRowwise: true,
  isOneRow: false,
  ...change,
});
const large = scanned(50_000_000);

test('a side that is soon read is read by every task, rather than by a stage', () => {
  const read = readWhole(scanned(900_000), large, settings);
  expect(read?.distribution).toEqual({ kind: 'replicated' });
  expect(read?.scans.map(({ share }) => share)).toEqual(['all']);
});

test('texts take longer to read than to be sent by hash', () => {
  const few = scanned(10_000);
  expect(readWhole(scanned(900_000, BIGINT, { estimatedRows: 100 }), few, settings)).toBeDefined();
  expect(readWhole(scanned(900_000, VARCHAR, { estimatedRows: 100 }), few, settings)).toBeUndefined();
});

test.each([
  ['it is large', scanned(2_000_000), large],
  ['its rows are not those of its scans (W1)', scanned(1_000, BIGINT, { isRowwise: false }), large],
  ['the other side would not be divided', scanned(1_000), scanned(9, BIGINT, { distribution: { kind: 'replicated' } })],
])('a side is not read by every task when %s', (_, build, probe) => {
  expect(readWhole(build, probe, settings)).toBeUndefined();
});
