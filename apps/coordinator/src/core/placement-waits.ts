// Why a query that its group has let start has no task yet. Pure.
import type { QueryWait } from './query.js';

const nothingBefore = {
  hardConcurrencyLimit: 0,
  runningHere: 0,
  runningElsewhere: 0,
  queuedAhead: 0,
  dataAgeMs: undefined,
  limit: 0,
  used: 0,
  claimsHere: 0,
  position: 1,
  estimatedWaitMs: undefined,
};

/** No worker takes the query. */
export const workerWait = (activeCount: number, lastRefusal: string): QueryWait => ({
  ...nothingBefore,
  kind: 'noWorkers',
  blockingGroup: '',
  unblockedBy: activeCount === 0 ? 'a worker starts' : 'a worker has room for a task',
  message:
    activeCount === 0
      ? 'Waits for a worker: none is active.'
      : `Waits for a worker: none of the ${activeCount} active ones takes the query${lastRefusal === '' ? '' : ` (${lastRefusal})`}.`,
});

/**
 * A worker refused the lease of its group, or that is over while a former task may be on a worker. Without such a task the
 * query has no slot any more, and its group says why it waits.
 */
export function leaseWait(group: string, now: { isFenced: boolean; hasOwner: boolean }): QueryWait {
  const { isFenced, hasOwner } = now;
  const why = isFenced
    ? 'a worker refused its task, since the lease that it came with is over'
    : 'the lease was over before its next task could be sent, and a former one may still be on a worker';
  const missing = hasOwner ? '' : '; resource managers unreachable: none says that it deals the slots of the group';
  return {
    ...nothingBefore,
    kind: hasOwner ? 'staleData' : 'resourceManagersUnreachable',
    blockingGroup: group,
    unblockedBy: 'a resource manager gives a newer lease, which takes a moment once it is heard',
    message: `keeps its slot in "${group}", but ${why}${missing}.`,
  };
}
