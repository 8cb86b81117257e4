import { instant, nodeId } from '@tutti/base';
import { COPIES_PENDING_MAX, CopyFlow } from './copy-flow.js';

const [b, c] = ['b', 'c'].map(nodeId) as [ReturnType<typeof nodeId>, ReturnType<typeof nodeId>];
const at = instant;

/** A flow whose peers have everything so far. */
function flowOf(...peers: (typeof b)[]): CopyFlow {
  const flow = new CopyFlow();
  peers.forEach((peer, index) => {
    flow.allSent(peer, 0, 1_000 + index, at(0));
    flow.kept(peer, 1_000 + index);
  });
  return flow;
}

describe('the copies of an owner', () => {
  it('are safe in the order in which they were made, when enough others keep them (F1)', () => {
    const flow = flowOf(b, c);
    flow.sent(1, 11, [b, c], at(0));
    flow.sent(4, 12, [b, c], at(0));
    flow.kept(b, 12);
    expect(flow.settle(1)).toBeUndefined();
    flow.kept(c, 11);
    expect(flow.settle(1)).toBe(4);
    expect(flow.settle(1)).toBeUndefined();
  });

  it('are safe at once when nobody else is needed', () => {
    const flow = flowOf();
    flow.sent(3, 11, [], at(0));
    expect(flow.settle(0)).toBe(3);
  });

  it('do not count twice from one seat, nor for a request that was never sent', () => {
    const flow = flowOf(b, c);
    flow.sent(1, 11, [b, c], at(0));
    flow.kept(b, 11);
    flow.kept(b, 11);
    flow.kept(c, 99);
    expect(flow.settle(2)).toBeUndefined();
  });

  it('are sent as a whole to who is behind, and not again while that is on its way (F2)', () => {
    const flow = flowOf(b);
    expect(flow.wantsAll(c, at(0), 2_000)).toBe(true);
    expect(flow.wantsAll(b, at(0), 2_000)).toBe(false);
    flow.sent(1, 11, [b], at(0));
    flow.noteLate(at(999), 1_000);
    expect(flow.wantsAll(b, at(999), 2_000)).toBe(false);
    flow.noteLate(at(1_000), 1_000);
    expect(flow.wantsAll(b, at(1_000), 2_000)).toBe(true);
    flow.allSent(b, 1, 12, at(1_000));
    expect(flow.wantsAll(b, at(2_999), 2_000)).toBe(false);
    expect(flow.wantsAll(b, at(3_000), 2_000)).toBe(true);
    flow.kept(b, 12);
    expect(flow.wantsAll(b, at(3_000), 2_000)).toBe(false);
    expect(flow.settle(1)).toBe(1);
  });

  it('stay missing for a seat that has a whole ledger from before them', () => {
    const flow = flowOf(b);
    flow.allSent(b, 1, 11, at(0));
    flow.sent(2, 12, [b], at(0));
    flow.missed(b, 12);
    flow.kept(b, 11);
    expect(flow.wantsAll(b, at(0), 2_000)).toBe(true);
  });

  it('do not count from a seat that forgot them', () => {
    const flow = flowOf(b, c);
    flow.sent(1, 11, [b, c], at(0));
    flow.kept(b, 11);
    flow.forgot(b);
    flow.kept(c, 11);
    expect(flow.settle(2)).toBeUndefined();
    expect(flow.wantsAll(b, at(0), 2_000)).toBe(true);
  });

  it('do not wait without bound (F3)', () => {
    const flow = flowOf(b);
    for (let seq = 1; seq <= COPIES_PENDING_MAX; seq++) {
      expect(flow.isFull).toBe(false);
      flow.sent(seq, seq, [b], at(0));
    }
    expect(flow.isFull).toBe(true);
    flow.kept(b, 1);
    flow.settle(1);
    expect(flow.isFull).toBe(false);
  });
});
