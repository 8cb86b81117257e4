import { instant, nodeId } from '@tutti/base';
import * as fc from 'fast-check';
import { HeartbeatLedger } from './heartbeat-ledger.js';

const report = (id: string, incarnation: number, sequence: number, arrivedAt: number) => ({
  nodeId: nodeId(id),
  incarnation,
  sequence,
  report: `${incarnation}.${sequence}`,
  arrivedAt: instant(arrivedAt),
});

describe('HeartbeatLedger', () => {
  it('H1: keeps the newest report of the newest life of a node', () => {
    const ledger = new HeartbeatLedger<string>({ expireAfterMs: 1_000 });
    expect(ledger.record(report('n1', 5, 2, 0))).toBe('newest');
    expect(ledger.record(report('n1', 5, 1, 1))).toBe('late');
    expect(ledger.record(report('n1', 5, 2, 2))).toBe('late');
    expect(ledger.record(report('n1', 6, 1, 3))).toBe('newest');
    expect(ledger.record(report('n1', 5, 99, 4))).toBe('late');
    expect(ledger.get(nodeId('n1'))).toEqual(report('n1', 6, 1, 3));
  });

  it('H1: late and repeated reports change nothing, in whatever order they come', () => {
    const anyReport = fc.record({
      incarnation: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(fc.array(anyReport, { minLength: 1 }), (reports) => {
        const ledger = new HeartbeatLedger<string>({ expireAfterMs: 1_000 });
        reports.forEach(({ incarnation, sequence }, index) =>
          ledger.record(report('n1', incarnation, sequence, index)),
        );
        const order = (one: { incarnation: number; sequence: number }) => one.incarnation * 100 + one.sequence;
        const newest = Math.max(...reports.map(order));
        const firstArrival = reports.findIndex((one) => order(one) === newest);
        const kept = ledger.get(nodeId('n1'));
        expect(kept && order(kept)).toBe(newest);
        expect(kept?.arrivedAt).toBe(firstArrival);
      }),
    );
  });

  it('H3: forgets the silent, and takes them back', () => {
    const ledger = new HeartbeatLedger<string>({ expireAfterMs: 1_000 });
    ledger.record(report('n1', 1, 7, 0));
    ledger.record(report('n2', 1, 1, 500));
    expect(ledger.expire(instant(1_000))).toEqual([]);
    expect(ledger.expire(instant(1_001))).toEqual(['n1']);
    expect([...ledger.all()].map((entry) => entry.nodeId)).toEqual(['n2']);
    expect(ledger.record(report('n1', 1, 8, 1_100))).toBe('newest');
  });
});
