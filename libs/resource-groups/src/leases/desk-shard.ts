// One owned shard of a desk: its owner, and what that is told.
//   S1. A shard in which no root group is leased, and nothing is booked, is told nothing and costs nothing. It is told
//       everything that counts as soon as one is leased, or somebody asks for a slot.
import type { Instant } from '@tutti/base';
import type { Acquired } from '../seats/seat-events.js';
import type { DeskMembership, DeskReport } from './desk-events.js';
import { LeaseRoots, NO_ROOTS, type ShardRoots } from './lease-roots.js';
import type { LeasedTask } from './lease-messages.js';
import { LeaseOwner, type LeaseOwnerOptions } from './lease-owner.js';
import { NO_LEASE } from './owner-fences.js';
import type { OwnerEffect, OwnerEvent } from './owner-events.js';

const NEVER = Infinity;

type Measured = Extract<OwnerEvent, { kind: 'measured' }>;

/** What an owner is told when it begins, or when the first of its groups is leased. */
export interface DeskNews {
  readonly roots: ShardRoots;
  readonly membership: DeskMembership | undefined;
  measuredOf(shard: number): Measured | undefined;
}

export class DeskShard {
  readonly owner: LeaseOwner;
  readonly epoch: number;
  private roots: LeaseRoots;
  /** Whether some root group of the configuration is leased here. */
  private hasRoots = false;
  /** It was told all that the others were told. */
  private isCaughtUp = false;

  constructor(
    readonly index: number,
    private readonly acquired: Acquired,
    options: LeaseOwnerOptions,
  ) {
    this.owner = new LeaseOwner(options);
    this.epoch = acquired.epoch;
    this.roots = new LeaseRoots(NO_ROOTS);
  }

  /** S1 */
  get isActive(): boolean {
    return this.hasRoots || this.owner.isInUse;
  }

  /** Begins. The configuration comes first: what is leased now is dealt as soon as anything is. */
  *begin(news: DeskNews, now: Instant): IterableIterator<OwnerEffect> {
    yield* this.configure(news, now);
    const { epoch, copies, mustLearnFully, learnMs } = this.acquired;
    yield* this.owner.apply({ kind: 'acquired', epoch, copies, mustLearnFully, learnMs }, now);
  }

  configure({ roots }: DeskNews, now: Instant): OwnerEffect[] {
    const names = roots.names(this.index);
    const rootGroups = roots.leased(this.index);
    this.roots = new LeaseRoots(names);
    this.hasRoots = rootGroups.length > 0;
    const { exemptRootGroups } = names;
    return this.owner.apply({ kind: 'configured', rootGroups, exemptRootGroups }, now);
  }

  /** To be called before others are told something. */
  *catchUp({ membership, measuredOf }: DeskNews, now: Instant): IterableIterator<OwnerEffect> {
    const { isCaughtUp, isActive } = this;
    this.isCaughtUp = isActive;
    if (isCaughtUp || !isActive) return;
    const measured = measuredOf(this.index);
    if (measured !== undefined) yield* this.owner.apply(measured, now);
    if (membership !== undefined) yield* this.owner.apply(membership, now);
  }

  /** The tasks of this shard that count. Without a lease only those that need one do. */
  report({ workerId, incarnation, sequence, kept }: DeskReport, tasks: readonly LeasedTask[], now: Instant) {
    const { epoch, version } = kept.find(({ shard }) => shard === this.index) ?? { epoch: 0, version: 0 };
    const counted = tasks.filter((task) => task.incarnation !== NO_LEASE || this.roots.needLease(task.group));
    const report = { workerId, incarnation, sequence, fencesKept: { epoch, version }, tasks: counted };
    return this.owner.apply({ kind: 'workerReport', report }, now);
  }

  /** When the next tick is due. */
  wakeAt(): number {
    const hasToTick = this.isActive || this.owner.phase === 'learning';
    return (hasToTick ? this.owner.wakeAt() : undefined) ?? NEVER;
  }
}
