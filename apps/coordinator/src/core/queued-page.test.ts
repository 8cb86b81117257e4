import * as fc from 'fast-check';
import { queryId } from '@tutti/base';
import {
  byGroup,
  decodeCursors,
  encodeCursors,
  entriesBehind,
  mergeQueued,
  type QueuedCursors,
  type QueuedEntry,
} from './queued-page.js';

const entry = (id: string, group = 'g', priority = 1, byPriority = false): QueuedEntry => ({
  queryId: queryId(id),
  group,
  priority,
  byPriority,
});
const ids = (entries: readonly QueuedEntry[]) => entries.map((one) => one.queryId);

test('O1: group by group, each in its own order', () => {
  const entries = [entry('q3', 'b'), entry('q1', 'a'), entry('q2', 'b'), entry('q0', 'c')];
  expect(ids(byGroup(entries, (group) => group !== 'c'))).toEqual(['q1', 'q3', 'q2']);
});

describe('O2: a list goes on', () => {
  const cursor = (id: string, group = 'g', priority = 1) => ({ queryId: id, group, priority });

  test('at its beginning without a cursor, behind the query of the cursor with one', () => {
    const entries = [entry('q2', 'f'), entry('q3'), entry('q1'), entry('q0', 'h')];
    expect(ids(entriesBehind(entries, undefined))).toEqual(['q2', 'q3', 'q1', 'q0']);
    expect(ids(entriesBehind(entries, cursor('q3')))).toEqual(['q1', 'q0']);
  });

  test('behind the place of a query that waits no more: by age, and by priority before that where the group does so', () => {
    const fifo = [entry('q1', 'f'), entry('q2'), entry('q5'), entry('q0', 'h')];
    expect(ids(entriesBehind(fifo, cursor('q3')))).toEqual(['q5', 'q0']);
    const sorted = [entry('q9', 'g', 9, true), entry('q1', 'g', 5, true), entry('q8', 'g', 5, true)];
    expect(ids(entriesBehind(sorted, cursor('q4', 'g', 5)))).toEqual(['q8']);
    expect(ids(entriesBehind(sorted, cursor('q4', 'g', 7)))).toEqual(['q1', 'q8']);
  });
});

test('a token carries any name, and what is no token is told from one', () => {
  const cursors: QueuedCursors = new Map([
    ['c1', { queryId: 'q1', group: 'global.user."a/b, 100%"', priority: 7 }],
    ['c,2', { queryId: 'q/2', group: 'grüße', priority: 1 }],
  ]);
  expect(decodeCursors(encodeCursors(cursors))).toEqual(cursors);
  expect(decodeCursors('')).toEqual(new Map());
  for (const wrong of ['x', 'a/b/c', 'a/b/c/d', 'a/b/c/1/e', '%/b/c/1', 'l.12.q1', 'a/b//1'])
    expect(decodeCursors(wrong)).toBeUndefined();
});

interface Waiting extends QueuedEntry {
  readonly nodeId: string;
  readonly createdMs: number;
}

/** What a coordinator answers: at most `size` of what is behind the cursor. */
const answerOf = (nodeId: string, waiting: readonly Waiting[], size: number, from: QueuedCursors) => {
  const mine = new Map(waiting.filter((one) => one.nodeId === nodeId).map((one) => [one.queryId, one]));
  const left = entriesBehind(
    byGroup(mine.values(), () => true),
    from.get(nodeId),
  );
  const items = left.slice(0, size).flatMap((one) => mine.get(one.queryId) ?? []);
  return { nodeId, items, hasMore: left.length > size };
};

const placeOf = (query: Waiting) => ({ ...query, position: query.createdMs });

test('pages of any size over several coordinators hold every query once, in order, whoever starts in between', () => {
  const queries = fc.array(
    fc.record({ node: fc.nat(2), group: fc.constantFrom('a', 'b', 'c'), passing: fc.boolean() }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(queries, fc.integer({ min: 1, max: 7 }), (list, size) => {
      const all = list.map(({ node, group, passing }, n) => {
        const id = `q${String(n).padStart(3, '0')}`;
        return { ...entry(id, group), nodeId: `c${node}`, createdMs: n, passing };
      });
      const nodes = ['c0', 'c1', 'c2'];
      const stays = all.filter(({ passing }) => !passing);
      const seen: string[] = [];
      let from: QueuedCursors | undefined = new Map();
      for (let turn = 0; from !== undefined; turn++) {
        const now: readonly Waiting[] = turn % 2 === 0 ? all : stays;
        const at = from;
        const sources = nodes.map((nodeId) => answerOf(nodeId, now, size, at));
        const page: { items: Waiting[]; next: QueuedCursors | undefined } = mergeQueued(sources, placeOf, size, at);
        expect(page.items.length).toBeLessThanOrEqual(size);
        seen.push(...page.items.map((query) => query.queryId));
        from = page.next;
      }
      expect(new Set(seen).size).toBe(seen.length);
      const staying = new Set<string>(stays.map((query) => query.queryId));
      const wanted = [...stays].sort((a, b) =>
        a.group === b.group ? a.createdMs - b.createdMs : a.group < b.group ? -1 : 1,
      );
      expect(seen.filter((id) => staying.has(id))).toEqual(wanted.map((query) => query.queryId));
    }),
  );
});
