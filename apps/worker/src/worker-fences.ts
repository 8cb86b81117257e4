// Which tasks this worker refuses for the sake of exact limits, over all shards. Pure: times are handed in.
//   W1. Of one shard the newest list counts (TaskFences, T1-T3). What `kept` tells holds for every task that is judged after.
//   W2. A worker that stood still for STALL_MS takes no task with a lease until a resource manager has answered a report
//       that was made after that: what came in meanwhile its coordinators may have given up long ago, and they count on
//       that nothing of it begins here. Asked at each task, since a socket may be read before any timer rings.
import type { Instant } from '@tutti/base';
import type { FencesKept, ShardFences, ShardStamp } from '@tutti/lease-wire';
import { shardOfGroup, TaskFences, type TaskVerdict } from '@tutti/resource-groups';

/** One moment on both clocks: the monotonic one stands still while a machine is suspended, the other one does not. */
export interface Moment {
  readonly now: Instant;
  readonly wallMs: number;
}

/** Half of what it takes until a silent worker is forgotten, `nodes.lease` of the resource managers by default. */
const STALL_MS = 5_000;

export class WorkerFences {
  private readonly shards = new Map<number, TaskFences>();
  private awake: Moment | undefined;
  /** Reports from then on count; undefined: no stall since the last answer. */
  private stalledUntil: Instant | undefined;

  /** Takes in what owners told. Whether anything is new. */
  hear(lists: readonly ShardFences[]): boolean {
    let isNew = false;
    for (const { shard, list } of lists) {
      const fences = this.shards.get(shard) ?? new TaskFences();
      const before = fences.kept;
      fences.hear(list);
      this.shards.set(shard, fences);
      isNew ||= fences.kept.epoch !== before.epoch || fences.kept.version !== before.version;
    }
    return isNew;
  }

  /** A resource manager has heard the report that was made at `sentAt`. */
  answered(sentAt: Instant): void {
    if (this.stalledUntil !== undefined && sentAt >= this.stalledUntil) this.stalledUntil = undefined;
  }

  /** Call it often, and before each task is judged: that is how a stall is found. Whether there was one. */
  tick(at: Moment): boolean {
    const { awake } = this;
    this.awake = at;
    if (awake === undefined || Math.max(at.now - awake.now, at.wallMs - awake.wallMs) < STALL_MS) return false;
    this.stalledUntil = at.now;
    return true;
  }

  /** Whether a new task may begin in a group, with a lease of the group's shard or without. Begin it in the same turn, before anything is reported. */
  judge(group: string, lease: ShardStamp | undefined): TaskVerdict {
    if (lease !== undefined && this.stalledUntil !== undefined) return 'notEnrolled'; // W2
    const fences = this.shards.get(shardOfGroup(group)) ?? new TaskFences();
    return fences.judge(lease?.stamp, group);
  }

  /** What to tell with the tasks of the same moment. */
  kept(): FencesKept[] {
    return Array.from(this.shards, ([shard, { kept }]) => ({ shard, ...kept })).filter(({ epoch }) => epoch > 0);
  }
}
