import { nodeId } from '@tutti/base';
import * as fc from 'fast-check';
import { MergedView, mergeOpinions, mergeSeen } from './merged-view.js';
import type { SeenNode } from './node-record.js';

const node = (id: string, overrides: Partial<SeenNode> = {}): SeenNode => ({
  nodeId: nodeId(id),
  role: 'worker',
  incarnation: 1,
  version: 1,
  state: 'ACTIVE',
  announcedState: 'ACTIVE',
  clusterAddress: `${id}:9090`,
  edgeAddress: `${id}:8080`,
  querySuffix: '',
  programVersion: '',
  ageMs: 0,
  ...overrides,
});

const anySeen = fc
  .record({
    incarnation: fc.integer({ min: 1, max: 2 }),
    version: fc.integer({ min: 1, max: 2 }),
    heard: fc.boolean(),
    ageMs: fc.nat(5_000),
    sequence: fc.option(fc.nat(3), { nil: undefined }),
  })
  .map(({ incarnation, version, heard, ageMs, sequence }) => {
    const announcedState = version === 1 ? ('ACTIVE' as const) : ('DRAINING' as const);
    const busy = { runningTasks: 0, tasksMax: 4, memoryReservedBytes: 0, memoryLimitBytes: 1 };
    const load = sequence === undefined ? {} : { load: { ...busy, sequence } };
    return node('w1', {
      incarnation,
      version,
      announcedState,
      state: heard ? announcedState : 'SUSPECT',
      ageMs,
      ...load,
    });
  });

describe('merging opinions', () => {
  it('M1: is the same in any order, in any grouping, and when repeated', () => {
    fc.assert(
      fc.property(anySeen, anySeen, anySeen, (a, b, c) => {
        expect(mergeSeen(a, b)).toEqual(mergeSeen(b, a));
        expect(mergeSeen(a, mergeSeen(b, c))).toEqual(mergeSeen(mergeSeen(a, b), c));
        expect(mergeSeen(a, a)).toEqual(a);
      }),
    );
  });

  it('M1: a node that one resource manager hears is alive, whatever the others suspect', () => {
    const suspected = node('w1', { state: 'SUSPECT', ageMs: 4_000 });
    expect(mergeOpinions([[suspected], [node('w1', { ageMs: 20 })]])).toEqual([node('w1', { ageMs: 20 })]);
  });

  it('M1: a good-bye that one resource manager heard counts against those that did not', () => {
    const gone = node('w1', { state: 'GONE', announcedState: 'GONE', version: 2 });
    expect(mergeOpinions([[node('w1', { version: 3 })], [gone]])).toEqual([gone]);
  });
});

describe('MergedView', () => {
  const ids = (view: MergedView) => view.nodes().map((one) => one.nodeId);

  it('M2: a restarted resource manager that has not heard everybody takes no node away', () => {
    const view = new MergedView();
    view.said('a', { nodes: [node('w1'), node('w2')], synced: true });
    view.lost('a');
    expect(ids(view)).toEqual(['w1', 'w2']);
    view.said('a', { nodes: [node('w2')], synced: false });
    expect(ids(view)).toEqual(['w1', 'w2']);
    view.said('a', { nodes: [node('w2')], synced: true });
    expect(ids(view)).toEqual(['w2']);
  });

  it('M3: without any synced resource manager the list stays and grows', () => {
    const view = new MergedView();
    view.said('a', { nodes: [node('w1')], synced: true });
    view.lost('a');
    view.said('b', { nodes: [node('w3')], synced: false });
    view.lost('b');
    expect(ids(view)).toEqual(['w1', 'w3']);
    expect(view.connected()).toEqual([]);
  });

  it('M2: of two synced resource managers, a node that either hears is there', () => {
    const view = new MergedView();
    view.said('a', { nodes: [node('w1')], synced: true });
    view.said('b', { nodes: [node('w2')], synced: true });
    expect(ids(view)).toEqual(['w1', 'w2']);
    expect(view.synced()).toEqual(['a', 'b']);
    view.lost('b');
    expect(ids(view)).toEqual(['w1']);
  });

  it('vouches for the cluster only once somebody who knew everybody has spoken', () => {
    const view = new MergedView();
    view.said('a', { nodes: [node('w1')], synced: false });
    expect(view.isWhole()).toBe(false);
    view.said('a', { nodes: [node('w1')], synced: true });
    view.lost('a');
    expect(view.isWhole()).toBe(true);
  });
});
