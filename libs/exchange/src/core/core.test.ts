import fc from 'fast-check';
import { isFileName, isFragmentId } from './exchange-names.js';
import { ExchangeQuota } from './exchange-quota.js';
import { interleaved } from './interleaved.js';

test.each(['data_0.parquet', '__p=3/data_0.parquet', '__p=-1/data.parquet', 'a/b/c'])('%s is a file name', (name) => {
  expect(isFileName(name)).toBe(true);
});

test.each([
  '',
  '.',
  '..',
  '../x',
  'a/../b',
  '/etc/passwd',
  'a//b',
  'a/',
  'a\\b',
  'a\0',
  'a/b/c/d',
  '.hidden',
  'ä',
  'x'.repeat(200),
])('%j is none', (name) => {
  expect(isFileName(name)).toBe(false);
});

test('fragment ids are a name and two numbers, and nothing that a directory could make another of', () => {
  expect(['0.0.0', '12-partial.3.1', 'final.0.1'].every(isFragmentId)).toBe(true);
  expect(['', '1.2', '1.2.3.4', '1..3', '../..', '1.2.3/', '1.2.-3'].some(isFragmentId)).toBe(false);
});

test('Q1-Q3: whatever comes and goes, what is held is the sum of what is there, and only growth passes the limit', () => {
  const step = fc.record({
    kind: fc.constantFrom('take', 'set', 'free'),
    name: fc.constantFrom('a', 'b', 'c'),
    bytes: fc.nat(60),
  });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const quota = new ExchangeQuota(100);
      const model = new Map<string, number>();
      const sum = () => [...model.values()].reduce((total, bytes) => total + bytes, 0);
      for (const { kind, name, bytes } of steps) {
        const after = sum() - (model.get(name) ?? 0) + bytes;
        if (kind === 'free') {
          quota.free(name);
          model.delete(name);
        } else if (kind === 'set') {
          expect(quota.set(name, bytes)).toBe(after <= 100);
          model.set(name, bytes);
        } else if (quota.take(name, bytes)) {
          expect(after).toBeLessThanOrEqual(100);
          model.set(name, bytes);
        } else expect(after).toBeGreaterThan(100);
        expect(quota.heldBytes).toBe(sum());
      }
    }),
  );
});

test('files of several workers are fetched in turn, beginning with another one each', () => {
  const files = ['a1', 'a2', 'a3', 'b1', 'c1', 'c2'];
  const source = (file: string) => file.charAt(0);
  expect(interleaved(files, source, 0)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
  expect(interleaved(files, source, 4)).toEqual(['b1', 'c1', 'a1', 'c2', 'a2', 'a3']);
  expect(interleaved([], source, 7)).toEqual([]);
});
