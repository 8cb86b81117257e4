import { nearestNames } from './nearest-names.js';

test.each([
  ['flihgts', ['flights', 'airports'], ['flights']],
  ['DELY', ['delay', 'distance'], ['delay']],
  ['dely', ['f.delay', 'g.delay', 'f.day'], ['f.delay', 'g.delay']],
  ['order', ['orders', 'order_lines', 'border'], ['border', 'order_lines', 'orders']],
  ['aa', ['ab', 'ac', 'ad', 'ae'], ['ab', 'ac', 'ad']],
  ['zzz', ['flights'], []],
  ['x', [], []],
])('%s among %j may mean %j', (name, known, expected) => {
  expect(nearestNames(name, known)).toEqual(expected);
});
