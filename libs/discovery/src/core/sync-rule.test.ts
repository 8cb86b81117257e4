import { instant, nodeId } from '@tutti/base';
import { SyncRule } from './sync-rule.js';

const OPTIONS = { leaseMs: 10_000, settleMs: 1_500 };
const c1 = nodeId('c1');
const c2 = nodeId('c2');
const w1 = nodeId('w1');
const r1 = nodeId('r1');

const rule = () => new SyncRule(OPTIONS, instant(0));

describe('SyncRule', () => {
  it('S1: after a restart it waits for every node that a node with a whole directory knows of, and no longer', () => {
    const sync = rule();
    sync.vouched([c1, c2, w1]);
    sync.heard(c1, 'coordinator', instant(50));
    sync.heard(w1, 'worker', instant(60));
    expect(sync.isSynced(instant(9_000))).toBe(false);
    expect(sync.missing()).toEqual([c2]);
    sync.heard(c2, 'coordinator', instant(9_001));
    expect(sync.isSynced(instant(9_001))).toBe(true);
  });

  it('S1: a node that died with the resource manager holds it up for one lease', () => {
    const sync = rule();
    sync.vouched([c1, c2]);
    sync.heard(c1, 'coordinator', instant(50));
    expect(sync.isSynced(instant(9_999))).toBe(false);
    expect(sync.isSynced(instant(10_000))).toBe(true);
  });

  it('S1: it believes a voucher only when a coordinator has reported', () => {
    const sync = rule();
    sync.vouched([w1]);
    sync.heard(w1, 'worker', instant(10));
    expect(sync.isSynced(instant(5_000))).toBe(false);
    sync.heard(c1, 'coordinator', instant(5_001));
    expect(sync.isSynced(instant(5_001))).toBe(true);
  });

  it('S1: a node that says good-bye is not waited for', () => {
    const sync = rule();
    sync.vouched([c1, c2]);
    sync.heard(c1, 'coordinator', instant(10));
    sync.excused(c2);
    expect(sync.isSynced(instant(11))).toBe(true);
  });

  it('S2: nodes that know nobody are no voucher: it gives those who know more the time to reconnect', () => {
    const sync = rule();
    sync.heard(c1, 'coordinator', instant(10));
    expect(sync.isSynced(instant(1_499))).toBe(false);
    sync.vouched([c1, c2]);
    expect(sync.isSynced(instant(1_600))).toBe(false);
    sync.heard(c2, 'coordinator', instant(1_700));
    expect(sync.isSynced(instant(1_700))).toBe(true);
  });

  it('S3: reports of resource managers count for nothing', () => {
    const sync = rule();
    sync.heard(r1, 'resourceManager', instant(10));
    expect(sync.isSynced(instant(9_999))).toBe(false);
  });

  it('S4: cut off from everybody it stays unsynced until someone reports, then waits for all whom it knew', () => {
    const sync = rule();
    sync.heard(c1, 'coordinator', instant(10));
    expect(sync.isSynced(instant(2_000))).toBe(true);
    sync.isolate([c1, c2]);
    expect(sync.isSynced(instant(100_000))).toBe(false);
    sync.heard(c1, 'coordinator', instant(100_000));
    expect(sync.isSynced(instant(100_000))).toBe(false);
    sync.heard(c2, 'coordinator', instant(100_300));
    expect(sync.isSynced(instant(100_300))).toBe(true);
  });
});
