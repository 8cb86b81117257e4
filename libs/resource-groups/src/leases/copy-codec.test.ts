import * as codec from './copy-codec.js';

const { ledgerItem } = codec;

describe('the ledger that seats keep', () => {
  it('reads what it has written, whatever names and numbers', () => {
    const life = { coordinatorId: 'c-1', incarnation: Date.UTC(2027, 0, 1) };
    for (const [group, held] of [
      ['a', 1],
      ['global.u."x.y"', 127],
      ['g\nh.é', 128],
      ['', 2 ** 40],
    ] as const)
      // prettier-ignore
      expect(ledgerItem(codec.holdingKey(life, group), codec.holdingPayload(held))).toEqual({
        ...{ kind: 'holding', life, group, held },
      });
    const stamp = { ...life, epoch: Number.MAX_SAFE_INTEGER, seq: 0 };
    expect(ledgerItem(codec.fenceKey('c-1'), codec.fencePayload(stamp))).toEqual({ kind: 'fence', stamp });
    const worker = { workerId: 'w', incarnation: life.incarnation };
    expect(ledgerItem(codec.workerKey('w'), codec.workerPayload(worker.incarnation))).toEqual({
      kind: 'worker',
      ...worker,
    });
  });

  it('passes over what it does not know', () => {
    expect(ledgerItem('x\nc', Uint8Array.of(1))).toBeUndefined();
    expect(ledgerItem('h\nc\nnot a number\na', Uint8Array.of(1))).toBeUndefined();
    expect(ledgerItem('f\nc', Uint8Array.of(1))).toBeUndefined();
    expect(ledgerItem('w\nw', new Uint8Array())).toBeUndefined();
  });
});
