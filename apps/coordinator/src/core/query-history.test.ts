import * as fc from 'fast-check';
import { instant, queryId } from '@tutti/base';
import { noUse, type QuerySnapshot } from './query.js';
import { aSession, noLimits } from '../testing/sample-query.js';
import { historyBytesOf, QueryHistory } from './query-history.js';

const query = (id: string, statement = 'SELECT 1'): QuerySnapshot => ({
  queryId: queryId(id),
  state: 'finished',
  statement,
  session: aSession,
  group: 'global',
  priority: 1,
  limits: noLimits,
  createdWallMs: 0,
  elapsedMs: 0,
  queuedMs: 0,
  wait: undefined,
  use: noUse,
  failure: undefined,
});

describe('the history of queries', () => {
  test('H1: long statements push the oldest out', () => {
    const history = new QueryHistory({ bytesMax: 10_000, keepMs: 1_000 });
    for (const id of ['a', 'b', 'c']) history.add(query(id, 'x'.repeat(2_000)), instant(0));
    expect([...history.newest()].map(({ queryId }) => queryId)).toEqual(['c', 'b']);
    expect(history.get('a')).toBeUndefined();
    history.add(query('huge', 'x'.repeat(20_000)), instant(0));
    expect(history.get('huge')).toBeUndefined();
    expect(history.size).toBe(2);
  });

  test('H2: an entry is forgotten after its time', () => {
    const history = new QueryHistory({ bytesMax: 10_000, keepMs: 1_000 });
    history.add(query('a'), instant(0));
    history.add(query('b'), instant(600));
    history.expire(instant(1_001));
    expect(history.get('a')).toBeUndefined();
    expect(history.get('b')).toBeDefined();
  });

  test('the last figures of a query may come after its end', () => {
    const history = new QueryHistory({ bytesMax: 10_000, keepMs: 1_000 });
    history.add(query('a'), instant(0));
    history.amend({ queryId: queryId('a'), use: { ...noUse, cpuMs: 7 } });
    history.amend({ queryId: queryId('forgotten'), use: noUse });
    expect([...history.newest()].map(({ use }) => use.cpuMs)).toEqual([7]);
  });

  test('recent ones come newest first, bounded by time and number', () => {
    const history = new QueryHistory({ bytesMax: 1e6, keepMs: 1e6 });
    for (let n = 0; n < 10; n++) history.add(query(`q${n}`), instant(n * 100));
    const ids = (since: number, most: number) => history.recent(instant(since), most).map(({ queryId }) => queryId);
    expect(ids(750, 5)).toEqual(['q9', 'q8']);
    expect(ids(0, 3)).toEqual(['q9', 'q8', 'q7']);
  });

  test('H1 and H2 hold after any adds, and the bytes are counted right', () => {
    const adds = fc.array(fc.record({ length: fc.nat(3_000), waitMs: fc.nat(400) }), { maxLength: 300 });
    fc.assert(
      fc.property(adds, (list) => {
        const history = new QueryHistory({ bytesMax: 20_000, keepMs: 1_000 });
        let now = 0;
        for (const [n, { length, waitMs }] of list.entries()) {
          now += waitMs;
          history.add(query(`q${n}`, 'x'.repeat(length)), instant(now));
          const held = [...history.newest()];
          expect(history.bytes).toBe(held.reduce((sum, one) => sum + historyBytesOf(one), 0));
          expect(history.bytes).toBeLessThanOrEqual(20_000);
          expect(history.size).toBe(held.length);
        }
      }),
    );
  });
});
