import { type BufferCollector, collectBuffersEarly } from './collect-buffers-early.js';

const MB = 1024 * 1024;

function fakeHeap() {
  const heap = { young: 0, old: 0, live: 0, collections: [] as string[] };
  const collector: BufferCollector = {
    minor: () => {
      heap.young = 0;
      heap.collections.push('minor');
    },
    full: () => {
      heap.young = heap.old = 0;
      heap.collections.push('full');
    },
    heldBytes: () => heap.young + heap.old + heap.live,
  };
  return { heap, passed: collectBuffersEarly(collector) };
}

describe('buffers that were passed on', () => {
  it('are left to V8 by a process that passes little on', () => {
    const { heap, passed } = fakeHeap();
    for (let i = 0; i < 7; i++) passed(MB);
    expect(heap.collections).toEqual([]);
  });

  it('are collected while young, every 8 MB', () => {
    const { heap, passed } = fakeHeap();
    for (let i = 0; i < 64; i++) {
      heap.young += MB;
      passed(MB);
    }
    expect(heap.collections).toEqual(Array(8).fill('minor'));
  });

  it('that grew old are collected when there are 24 MB of them', () => {
    const { heap, passed } = fakeHeap();
    for (let i = 0; i < 64; i++) {
      heap.old += MB;
      passed(MB);
    }
    expect(heap.collections.join(' ')).toBe('minor minor minor full minor minor minor full minor minor');
  });

  it('do not have a process collect in vain when they are in use', () => {
    const { heap, passed } = fakeHeap();
    heap.live = 100 * MB;
    for (let i = 0; i < 64; i++) passed(MB);
    expect(heap.collections).toEqual(['minor', 'full', ...Array(7).fill('minor')]);
    // What was let go of does not count as in use for longer.
    heap.live = 0;
    for (let i = 0; i < 32; i++) {
      heap.old += 2 * MB;
      passed(MB);
    }
    expect(heap.collections.filter((kind) => kind === 'full')).toHaveLength(2);
  });
});
