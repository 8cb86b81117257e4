import * as fc from 'fast-check';
import { isPageToken, type ListedQuery, pageOf } from './query-page.js';

const self = (query: ListedQuery) => query;
const listed = fc.record({ queryId: fc.stringMatching(/^q\d{1,2}$/), ended: fc.boolean(), atMs: fc.nat(20) });
const unique = (max: number) => fc.uniqueArray(listed, { selector: ({ queryId }) => queryId, maxLength: max });

test('L1: live before ended, newest first', () => {
  const queries = [
    { queryId: 'old', ended: true, atMs: 5 },
    { queryId: 'live1', ended: false, atMs: 1 },
    { queryId: 'new', ended: true, atMs: 9 },
    { queryId: 'live2', ended: false, atMs: 2 },
  ];
  expect(pageOf([queries], self, 10, '').items.map(({ queryId }) => queryId)).toEqual(['live2', 'live1', 'new', 'old']);
});

test('of a query that two sources know, the first source counts', () => {
  const page = pageOf(
    [[{ queryId: 'q', ended: true, atMs: 2 }], [{ queryId: 'q', ended: false, atMs: 1 }]],
    self,
    10,
    '',
  );
  expect(page.items).toEqual([{ queryId: 'q', ended: true, atMs: 2 }]);
});

test('L2: pages of any size hold every query once, in order, whatever comes and goes in between', () => {
  fc.assert(
    fc.property(unique(40), unique(10), fc.integer({ min: 1, max: 7 }), (stable, passing, size) => {
      const ids = new Set(stable.map(({ queryId }) => queryId));
      const extra = passing.filter(({ queryId }) => !ids.has(queryId));
      const seen: string[] = [];
      let token = '';
      for (let turn = 0; ; turn++) {
        const page = pageOf([stable, turn % 2 === 0 ? extra : []], self, size, token);
        expect(page.items.length).toBeLessThanOrEqual(size);
        seen.push(...page.items.map(({ queryId }) => queryId).filter((id) => ids.has(id)));
        token = page.nextPageToken;
        if (token === '') break;
        expect(isPageToken(token)).toBe(true);
      }
      expect(seen).toEqual(pageOf([stable], self, 1_000, '').items.map(({ queryId }) => queryId));
    }),
  );
});
