import fc from 'fast-check';
import type { ScanBound } from '../stages/stage.js';
import { isOrderedType, orderedValue } from './ordered-value.js';
import { pruneSplits } from './prune-splits.js';
import { shareSplits } from './share-splits.js';
import type { Split } from './split.js';

const split = (fields: Partial<Split>): Split => ({
  path: '/a.parquet',
  fileBytes: 1_000,
  fileMtimeMs: 1,
  firstRow: 0,
  endRow: undefined,
  rows: 10,
  bytes: 100,
  ranges: {},
  ...fields,
});

const column = (sql: string) => ({ name: 'x', type: { sql, id: sql.replace(/\(.*/, ''), children: [] } });

describe('values as numbers of the same order', () => {
  test.each([
    ['INTEGER', ['-12', '-3', '0', '7', '10', '200']],
    ['UHUGEINT', ['9', '340282366920938463463374607431768211455']],
    ['DECIMAL(12,2)', ['-10.50', '-9.5', '-0.01', '0', '.5', '2', '2.10', '10.00']],
    ['DATE', ['0001-01-01', '0099-12-31', '1582-10-15', '1969-12-31', '1970-01-01', '2024-02-29', '10000-01-01']],
    [
      'TIMESTAMP',
      ['1969-12-31 23:59:59.9', '1970-01-01 00:00:00', '1970-01-01 00:00:00.000001', '1970-01-02 00:00:00'],
    ],
  ])('%s', (type, texts) => {
    const values = texts.map((text) => orderedValue(text, type));
    for (const [index, value] of values.entries()) {
      expect(value).toBeDefined();
      if (index > 0) expect(value).toBeGreaterThan(values[index - 1] as bigint);
    }
  });

  test('equal values have one number, however they are written', () => {
    expect(orderedValue('1.50', 'DECIMAL(12,2)')).toBe(orderedValue('1.5', 'DECIMAL(12,2)'));
    expect(orderedValue('2020-01-01 00:00:00', 'TIMESTAMP')).toBe(orderedValue('2020-01-01T00:00:00.000', 'TIMESTAMP'));
  });

  test.each([
    ['infinity', 'DATE'],
    ['0044-03-15 (BC)', 'DATE'],
    ['2023-02-29', 'DATE'],
    ['2020-01-01 00:00:00+00', 'TIMESTAMP'],
    ['-infinity', 'TIMESTAMP'],
    ['1.005', 'DECIMAL(12,2)'],
    ['', 'DECIMAL(12,2)'],
    ['1e3', 'INTEGER'],
    ['1.0', 'DOUBLE'],
    ['a', 'VARCHAR'],
    ['2020-01-01 00:00:00+00', 'TIMESTAMP WITH TIME ZONE'],
  ])('%s as %s has none', (text, type) => expect(orderedValue(text, type)).toBeUndefined());

  test('days are those of the calendar', () => {
    const days = fc.integer({ min: -719_162, max: 2_932_896 });
    fc.assert(
      fc.property(days, (day) => {
        const text = new Date(day * 86_400_000).toISOString().slice(0, 10);
        expect(orderedValue(text, 'DATE')).toBe(BigInt(day));
      }),
    );
  });

  test('only those types are compared', () => {
    expect(['BIGINT', 'DECIMAL(4,1)', 'DATE', 'TIMESTAMP'].every(isOrderedType)).toBe(true);
    expect(['VARCHAR', 'DOUBLE', 'INTEGER[]', 'TIME', 'JSON'].some(isOrderedType)).toBe(false);
  });
});

describe('splits are left out', () => {
  const holds = (value: number, { comparison, value: bound }: ScanBound): boolean => {
    const limit = Number(bound);
    return { '=': value === limit, '<': value < limit, '<=': value <= limit, '>': value > limit, '>=': value >= limit }[
      comparison
    ];
  };

  test('when no row of theirs can be asked for, and never when one can', () => {
    const values = fc.array(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 4 }), {
      maxLength: 8,
    });
    const comparison = fc.constantFrom('=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const);
    const bounds = fc.array(
      fc.record({ column: fc.constant(0), comparison, value: fc.integer({ min: -60, max: 60 }).map(String) }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(values, bounds, (rows, asked) => {
        const splits = rows.map((mine, index) =>
          split({
            path: `/${index}`,
            ranges: { x: { min: String(Math.min(...mine)), max: String(Math.max(...mine)) } },
          }),
        );
        const kept = new Set(pruneSplits(splits, [column('INTEGER')], asked));
        for (const [index, mine] of rows.entries()) {
          const wanted = mine.some((value) => asked.every((bound) => holds(value, bound)));
          if (wanted) expect(kept).toContain(splits[index]);
          // One bound alone leaves out whatever lies wholly beyond it.
          const none = asked.some((bound) => bound.comparison !== '=' && !mine.some((value) => holds(value, bound)));
          if (none) expect(kept).not.toContain(splits[index]);
        }
      }),
    );
  });

  test.each([
    ['a column without statistics', 'INTEGER', {}],
    ['texts', 'VARCHAR', { x: { min: 'a', max: 'b' } }],
    ['floating point, for NaN has no place in statistics', 'DOUBLE', { x: { min: '0', max: '1' } }],
    ['statistics that are no values of the type', 'DATE', { x: { min: '-infinity', max: '1999-01-01' } }],
  ])('but not by %s', (_, type, ranges) => {
    const splits = [split({ ranges })];
    const bounds = [{ column: 0, comparison: '>' as const, value: type === 'DATE' ? '2000-01-01' : '5' }];
    expect(pruneSplits(splits, [column(type)], bounds)).toEqual(splits);
  });

  test('numbers are compared as numbers, not as texts', () => {
    const splits = [split({ ranges: { x: { min: '9', max: '10' } } })];
    expect(pruneSplits(splits, [column('INTEGER')], [{ column: 0, comparison: '=', value: '95' }])).toEqual([]);
  });
});

describe('splits are dealt to tasks', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 40 });
  const tasks = fc.integer({ min: 1, max: 12 });
  /** Files of three row groups each. */
  const filesOf = (bytes: readonly number[]): Split[] =>
    bytes.map((size, index) => {
      const group = index % 3;
      const endRow = group === 2 || index === bytes.length - 1 ? undefined : (group + 1) * 10;
      return split({ path: `/${Math.floor(index / 3)}`, firstRow: group * 10, endRow, bytes: size });
    });

  test('each row to one task', () => {
    fc.assert(
      fc.property(sizes, tasks, (bytes, count) => {
        const splits = filesOf(bytes);
        const shares = shareSplits(splits, count);
        expect(shares).toHaveLength(count);
        const rows = (all: readonly Split[]) =>
          all.flatMap(({ path, firstRow, rows: n }) => Array.from({ length: n }, (_, i) => `${path} ${firstRow + i}`));
        expect(shares.flatMap(rows).sort()).toEqual(rows(splits).sort());
        if (splits.length >= count) expect(shares.filter((share) => share.length === 0)).toEqual([]);
      }),
    );
  });

  test('so that none has much more than its part, and as few ranges as there are files', () => {
    fc.assert(
      fc.property(sizes, tasks, (bytes, count) => {
        const shares = shareSplits(filesOf(bytes), count);
        const weights = bytes.map((size) => Math.max(1, size));
        const fair = weights.reduce((sum, size) => sum + size, 0) / count;
        for (const share of shares) {
          expect(share.reduce((sum, part) => sum + part.bytes, 0)).toBeLessThanOrEqual(fair + Math.max(0, ...weights));
          expect(new Set(share.map(({ path }) => path)).size).toBe(share.length);
        }
      }),
    );
  });

  test('row groups that follow each other are one range, to the end of the file when they reach it', () => {
    const [share] = shareSplits(filesOf([1, 1, 1]), 1);
    expect(share).toEqual([split({ path: '/0', rows: 30, bytes: 3 })]);
  });

  test('fewer splits than tasks leave tasks without any', () => {
    expect(shareSplits([split({})], 3).map((share) => share.length)).toEqual([1, 0, 0]);
    expect(shareSplits([], 2)).toEqual([[], []]);
  });
});
