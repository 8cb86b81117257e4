import { instant, nodeId } from '@tutti/base';
import { NameClaim, nameTakenText } from './name-claim.js';
import type { AnnouncedState, NodeRecord } from './node-record.js';

const newer = (state: AnnouncedState = 'ACTIVE'): NodeRecord => ({
  nodeId: nodeId('c1'),
  role: 'coordinator',
  incarnation: 2_000,
  version: 1,
  state,
  clusterAddress: 'b:9090',
  edgeAddress: 'b:8080',
  querySuffix: '',
  programVersion: '',
});
const told = (ageMs: number, state?: AnnouncedState) => ({ record: newer(state), ageMs });
const at = instant;

function claimed(): NameClaim {
  const claim = new NameClaim();
  claim.announced(at(0));
  return claim;
}

describe('the claim of a process on its node id', () => {
  it('C2: is lost to one that is heard after this process began to announce itself', () => {
    const claim = claimed();
    expect(claim.answered('r1', undefined, at(10))).toBeUndefined();
    expect(claim.answered('r1', told(300), at(5_000))).toMatchObject({
      kind: 'taken',
      by: { clusterAddress: 'b:9090' },
    });
    expect(claim.answered('r2', told(300), at(5_001))).toBeUndefined();
    expect(nameTakenText(claim.owner ?? newer())).toBe(
      'another process with node id "c1" (a coordinator, started later, at b:9090) is in the cluster; give each process its own --node-id',
    );
  });

  it('C2: is not lost to a former life, though its record is newer by a clock that was ahead', () => {
    const claim = claimed();
    for (const now of [10, 1_010, 2_010, 9_010]) {
      expect(claim.answered('r1', told(now + 500), at(now))).toBeUndefined();
      expect(claim.isDoubtful).toBe(true);
    }
    expect(claim.answered('r1', told(100, 'GONE'), at(10_000))).toBeUndefined();
    expect(claim.owner).toBeUndefined();
    expect(claim.isDoubtful).toBe(false);
  });

  it('C3: is free again some time after the other one has said good-bye, or was forgotten', () => {
    for (const last of [told(0, 'GONE'), undefined]) {
      const claim = claimed();
      claim.answered('r1', told(300), at(5_000));
      expect(claim.answered('r1', last, at(6_000))).toBeUndefined();
      expect(claim.answered('r1', last, at(8_000))).toBeUndefined();
      expect(claim.owner).toBeDefined();
      expect(claim.answered('r1', last, at(9_000))).toEqual({ kind: 'free' });
      expect(claim.owner).toBeUndefined();
    }
  });

  it('C3: is not free while one resource manager hears the other, nor while none answers', () => {
    const claim = claimed();
    claim.answered('r1', told(300), at(5_000));
    claim.answered('r2', undefined, at(5_000));
    expect(claim.answered('r2', undefined, at(20_000))).toBeUndefined();
    claim.lost('r1');
    expect(claim.answered('r2', undefined, at(21_000))).toBeUndefined();
    claim.lost('r2');
    expect(claim.answered('r2', undefined, at(30_000))).toBeUndefined();
    expect(claim.answered('r2', undefined, at(33_000))).toEqual({ kind: 'free' });
  });
});
