import type { WaitExplanation } from '@tutti/resource-groups';
import { withObstacle } from './wait-obstacles.js';

const LEASE = { owner: undefined, epoch: 7, held: 0, isValid: false, leaseAgeMs: 12_000 };
const WAIT: WaitExplanation = {
  ...{ kind: 'resourceManagersUnreachable', mode: 'leased', blockingGroup: 'g', hardConcurrencyLimit: 4 },
  ...{ runningHere: 0, runningElsewhere: 0, queuedAhead: 0, dataAgeMs: undefined, claimsHere: 0, position: 1 },
  ...{ limit: 0, used: 0, estimatedWaitMs: 5, unblockedBy: 'a resource manager deals its slots again' },
  message: 'waits in "g": resource managers unreachable: none that deals its slots has been heard for 32 s',
  lease: { ...LEASE, heldInCluster: undefined, aheadElsewhere: undefined },
};

describe('what all queries of a coordinator wait for', () => {
  it('resource managers that restarted are not called unreachable: it is said when they deal again', () => {
    expect(withObstacle(WAIT, undefined, 8_400)).toMatchObject({
      kind: 'resourceManagersUnreachable',
      message: 'waits in "g": resource managers have restarted and deal slots again at most 9 s from now',
    });
    const first = { ...WAIT, lease: WAIT.lease && { ...WAIT.lease, epoch: 0 } };
    expect(withObstacle(first, undefined, 12_000).message).toBe(
      'waits in "g": resource managers have just started and deal slots at most 12 s from now',
    );
  });

  it('they are unreachable while nobody can tell when they deal', () => {
    expect(withObstacle(WAIT, undefined, undefined)).toBe(WAIT);
  });

  it('where an owner deals, or the group is not leased, the group knows better', () => {
    for (const other of [
      { ...WAIT, kind: 'concurrencyLimit' as const },
      { ...WAIT, mode: 'gated' as const, lease: undefined },
    ])
      expect(withObstacle(other, undefined, 8_400)).toBe(other);
  });

  it('another process has the node id: that comes first, whatever the group says', () => {
    for (const wait of [WAIT, { ...WAIT, kind: 'queuedAhead' as const }])
      expect(withObstacle(wait, 'another process with node id "c1" is in the cluster', 8_400)).toMatchObject({
        kind: 'resourceManagersUnreachable',
        message:
          'waits in "g": no slots are dealt to this coordinator: another process with node id "c1" is in the cluster',
        estimatedWaitMs: undefined,
      });
  });
});
