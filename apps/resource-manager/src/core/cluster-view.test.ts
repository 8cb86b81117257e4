import { type Instant, instant, nodeId, queryId } from '@tutti/base';
import * as fc from 'fast-check';
import { ClusterView, isListPlace, type ReportedQuery } from './cluster-view.js';

const ENDED = new Set(['FINISHED', 'FAILED', 'CANCELED']);
const OPTIONS = { expireAfterMs: 4_000, endedKeptMs: 8_000, endedMax: 10 };

type Queries = Readonly<Record<string, string>>;

const reported = (queries: Queries): ReportedQuery<string>[] =>
  Object.entries(queries).map(([id, state]) => ({
    queryId: queryId(id),
    state,
    isEnded: ENDED.has(state),
    user: id.startsWith('a') ? 'alice' : 'bob',
    info: state,
  }));

class Story {
  readonly view: ClusterView<string>;
  private now: Instant = instant(0);
  constructor(options: Partial<typeof OPTIONS> = {}) {
    this.view = new ClusterView<string>({ ...OPTIONS, ...options });
  }
  report(coordinator: string, queries: Queries, more: { incarnation?: number; isComplete?: boolean } = {}): this {
    const { incarnation = 1, isComplete = true } = more;
    const coordinatorId = nodeId(coordinator);
    this.view.reported({ coordinatorId, incarnation, queries: reported(queries), isComplete }, this.now);
    return this;
  }
  pass(ms: number): this {
    this.now = instant(this.now + ms);
    this.view.expire(this.now);
    return this;
  }
  depart(coordinator: string): this {
    this.view.departed(nodeId(coordinator), this.now);
    return this;
  }
  /** Each query with its state, or LOST, in the order of the list. */
  shown(): string[] {
    const { page } = this.view.list({ matches: () => true, after: undefined, limit: 1_000 });
    return page.map(({ query, isLost }) => `${query.queryId} ${isLost ? 'LOST' : query.state}`);
  }
  /** Queries in the list, and how many of them have ended. */
  counts(): [number, number] {
    return [this.shown().length, this.view.endedCount];
  }
}

describe('ClusterView', () => {
  it('RM-1: follows the queries of two coordinators to their end', () => {
    const story = new Story().report('c1', { q1: 'QUEUED', q2: 'RUNNING', q3: 'FINISHED', q4: 'FAILED' });
    expect(story.counts()).toEqual([4, 2]);
    story.report('c1', { q1: 'RUNNING', q2: 'FINISHING', q3: 'FINISHED', q4: 'FAILED' });
    expect(story.counts()).toEqual([4, 2]);
    story.report('c1', { q1: 'RUNNING', q2: 'FINISHED', q3: 'FINISHED', q4: 'FAILED' });
    expect(story.counts()).toEqual([4, 3]);
    story.report('c2', { q5: 'QUEUED', q6: 'RUNNING', q7: 'FINISHED', q8: 'FAILED' });
    expect(story.counts()).toEqual([8, 5]);
  });

  it('RM-1, V3: after 5 s of silence they are still listed, but none of them as running; after 15 s they are gone', () => {
    const story = new Story().report('c1', { q1: 'QUEUED', q2: 'FINISHED' }).report('c2', { q3: 'RUNNING' });
    expect(story.pass(5_000).shown()).toEqual(['q3 LOST', 'q1 LOST', 'q2 FINISHED']);
    expect(story.pass(10_000).counts()).toEqual([0, 0]);
  });

  it('V3: queries of a coordinator that was silent for a while live again when it names them again', () => {
    const story = new Story().report('c1', { q1: 'RUNNING', q2: 'RUNNING' }).pass(5_000);
    expect(story.counts()).toEqual([2, 2]);
    story.report('c1', { q1: 'RUNNING', q2: 'FINISHED' });
    expect(story.shown()).toEqual(['q1 RUNNING', 'q2 FINISHED']);
  });

  it('V4: queries of a former life are lost at once and for good', () => {
    const story = new Story().report('c1', { q1: 'RUNNING' }).report('c1', { q2: 'QUEUED' }, { incarnation: 2 });
    expect(story.shown()).toEqual(['q2 QUEUED', 'q1 LOST']);
    story.report('c1', { q1: 'RUNNING', q2: 'QUEUED' }, { incarnation: 2 });
    expect(story.shown()).toEqual(['q2 QUEUED', 'q1 LOST']);
  });

  it('V4: queries of a coordinator that departed are lost at once', () => {
    expect(new Story().report('c1', { q1: 'RUNNING' }).depart('c1').shown()).toEqual(['q1 LOST']);
  });

  it('V2: an ended query never runs again', () => {
    const story = new Story().report('c1', { q1: 'FINISHED' }).report('c1', { q1: 'RUNNING' });
    expect(story.shown()).toEqual(['q1 FINISHED']);
  });

  it('V5: a query whose end was missed is forgotten; what an incomplete report leaves out is kept for a while', () => {
    const story = new Story().report('c1', { q1: 'RUNNING', q2: 'RUNNING' });
    expect(story.report('c1', { q1: 'RUNNING' }, { isComplete: false }).shown()).toEqual(['q2 RUNNING', 'q1 RUNNING']);
    expect(story.report('c1', { q1: 'RUNNING' }).shown()).toEqual(['q1 RUNNING']);

    const crowded = new Story().report('c1', { q1: 'RUNNING', q2: 'RUNNING' });
    for (let second = 0; second < 5; second++) {
      crowded.pass(1_000).report('c1', { q1: 'RUNNING' }, { isComplete: false });
    }
    expect(crowded.shown()).toEqual(['q1 RUNNING']);
  });

  it('V6: keeps the newest that ended', () => {
    const story = new Story({ endedMax: 2 });
    story.report('c1', { q1: 'FINISHED' }).report('c1', { q2: 'FINISHED' }).report('c1', { q3: 'FAILED' });
    expect(story.shown()).toEqual(['q3 FAILED', 'q2 FINISHED']);
    expect(story.pass(8_001).shown()).toEqual([]);
  });

  it('pages show every query once: live ones first, the newest first, then the ended ones, the latest end first', () => {
    const anyStates = fc.array(fc.constantFrom('QUEUED', 'RUNNING', 'FINISHED', 'FAILED'), { maxLength: 30 });
    fc.assert(
      fc.property(anyStates, fc.integer({ min: 1, max: 7 }), (states, limit) => {
        const story = new Story({ endedMax: 100 });
        const queries = states.map((state, index) => [`q${String(index).padStart(3, '0')}`, state] as const);
        story.report('c1', Object.fromEntries(queries));
        const paged: string[] = [];
        let after: string | undefined;
        do {
          const { page, next } = story.view.list({ matches: () => true, after, limit });
          expect(page.length).toBeLessThanOrEqual(limit);
          expect(next === undefined || isListPlace(next)).toBe(true);
          paged.push(...page.map(({ query }) => `${query.queryId} ${query.state}`));
          after = next;
        } while (after !== undefined);
        expect(paged).toEqual(story.shown());
        expect(paged).toHaveLength(states.length);
      }),
    );
  });

  it('lists what matches only', () => {
    const { view } = new Story().report('c1', { a1: 'RUNNING', b1: 'RUNNING', a2: 'QUEUED', a3: 'FINISHED' });
    const matches = ({ query }: { query: ReportedQuery<unknown> }) => query.user === 'alice';
    const first = view.list({ matches, after: undefined, limit: 2 });
    expect(first.page.map(({ query }) => query.queryId)).toEqual(['a2', 'a1']);
    const second = view.list({ matches, after: first.next, limit: 2 });
    expect(second.page.map(({ query }) => query.queryId)).toEqual(['a3']);
    expect(second.next).toBeUndefined();
  });
});
