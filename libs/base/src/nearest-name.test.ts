import { nearestName } from './nearest-name.js';

test.each([
  ['fligths', 'flights'],
  ['Airport', 'airports'],
  ['wether', 'weather'],
  ['x', undefined],
  ['customers_of_last_year', undefined],
])('nearest to %s is %s', (name, expected) => {
  expect(nearestName(name, ['flights', 'airports', 'weather'])).toBe(expected);
});
