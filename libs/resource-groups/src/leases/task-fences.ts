// A worker's part: it refuses tasks of leases that are over, for the groups of one shard.
//   T1. A task is accepted only with a stamp above all fences that are kept (A1 without clocks, A4): from the report on
//       that names a list of fences, nothing of what it fences begins here.
//   T2. Nothing is accepted before the first list of this life: a worker that has just begun knows no fences, and the owner
//       that counts on them does not know the worker yet.
//   T3. A task without a stamp is accepted only where the newest list names no root group that needs leases: an old
//       coordinator, or one that still has another configuration, starts nothing past the owner. What it started before
//       stands in the reports of this worker.
//   T4. The newest list by (epoch, version) counts, in whatever order they come.
import type { FenceList, TaskStamp } from './lease-messages.js';
import { LeaseRoots, NO_ROOTS } from './lease-roots.js';
import { compareStamps } from './lease-messages.js';

/**
 * fenced: the lease is over; a coordinator whose query counts under a newer lease may try again with that.
 * notEnrolled: this worker has not heard of the owner yet; try again soon, or elsewhere.
 * leaseRequired: a task without a lease, in a group that needs one.
 */
export type TaskVerdict = 'accepted' | 'fenced' | 'notEnrolled' | 'leaseRequired';

const NOTHING: FenceList = { epoch: 0, version: 0, epochFloor: 0, fences: [], ...NO_ROOTS };

/** The fences of one shard on one worker. */
export class TaskFences {
  private list = NOTHING;
  private roots = new LeaseRoots(NO_ROOTS);
  private byCoordinator = new Map<string, TaskStamp>();

  /** Takes in what an owner told. */
  hear(list: FenceList): void {
    const { epoch, version } = this.list;
    if (list.epoch < epoch || (list.epoch === epoch && list.version <= version)) return; // T4
    this.list = list;
    this.roots = new LeaseRoots(list);
    this.byCoordinator = new Map(list.fences.map((fence) => [fence.coordinatorId, fence]));
  }

  /** What to tell the owner, together with the tasks of the same moment. */
  get kept(): { readonly epoch: number; readonly version: number } {
    return { epoch: this.list.epoch, version: this.list.version };
  }

  /** Whether a task of a group may begin. */
  judge(stamp: TaskStamp | undefined, group: string): TaskVerdict {
    if (stamp === undefined) return this.roots.needLease(group) ? 'leaseRequired' : 'accepted'; // T3
    if (this.list === NOTHING) return 'notEnrolled'; // T2
    if (stamp.epoch < this.list.epochFloor) return 'fenced';
    const fence = this.byCoordinator.get(stamp.coordinatorId);
    return fence !== undefined && isFencedBy(stamp, fence) ? 'fenced' : 'accepted';
  }
}

/** Whether a stamp is not above a fence of the same coordinator. */
export const isFencedBy = (stamp: TaskStamp, fence: TaskStamp): boolean =>
  stamp.incarnation < fence.incarnation ||
  (stamp.incarnation === fence.incarnation && compareStamps(stamp, fence) <= 0);
