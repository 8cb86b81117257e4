// The slots of groups that queries of this coordinator hold.
//   T1. A task leaves in the turn of the event loop in which its query was allowed to send it, by the clock of that moment.
//   T2. In a group that deals by leases a task is allowed while the lease holds, and carries it. In any other it is allowed
//       while others certainly count its query (core/contact.ts).
//   T3. From its first task on a query is taken back only when the lease is over and nothing of it is on any worker: to go on
//       counting it could keep everybody in the group from a new lease. One that is taken back sends nothing until it is
//       started again.
import type { Clock, QueryId } from '@tutti/base';
import type { ShardStamp } from '@tutti/lease-wire';
import type { GroupEvent, GroupTree } from '@tutti/resource-groups';
import { Bell } from './bell.js';
import type { Contact } from './core/contact.js';

export type TaskPermit =
  /** It must leave in this turn; with this lease, if its group needs one. */
  | { readonly kind: 'granted'; readonly lease: ShardStamp | undefined }
  /** The lease is over, or not new enough. `Slot.leaseNews` rings when that may have changed. */
  | { readonly kind: 'notNow' }
  /** Others may have taken the slot. */
  | { readonly kind: 'lost' };

/** What a started query holds of its group. */
export interface Slot {
  /** Aborts when the group takes it back (T3). */
  readonly takenBack: AbortSignal;
  readonly leaseNews: Pick<Bell, 'wait'>;
  /** Asks for a task that will leave at once; with `newerThan` only by a newer lease. */
  permit(newerThan?: ShardStamp): TaskPermit;
  /** Whether a resource manager that deals for its group is known. */
  hasOwner(): boolean;
}

export interface HeldSlot extends Slot {
  /** The query is queued again. */
  takeBack(): void;
}

export interface SlotsOptions {
  readonly groups: Pick<GroupTree, 'taskStamp' | 'leaseFigures'>;
  readonly apply: (event: GroupEvent) => void;
  /** Whether a task that was sent for a query may still be on a worker, though the query has given it up. */
  readonly mayHaveTasks: (queryId: QueryId) => boolean;
  readonly contact: Contact;
  readonly clock: Clock;
}

export class Slots {
  private readonly leaseNews = new Bell();

  constructor(private readonly options: SlotsOptions) {}

  /** A query was started. */
  give(queryId: QueryId, group: string): HeldSlot {
    const { groups, apply, mayHaveTasks, contact, clock } = this.options;
    const taken = new AbortController();
    const stretch = contact.stretch(clock.now());
    const holdsByContact = () => stretch !== undefined && contact.stretch(clock.now()) === stretch;
    return {
      takenBack: taken.signal,
      takeBack: () => taken.abort(),
      leaseNews: this.leaseNews,
      hasOwner: () =>
        groups.leaseFigures(clock.now()).some((figure) => figure.group === group && figure.seat !== undefined),
      permit: (newerThan) => {
        if (taken.signal.aborted) return { kind: 'notNow' };
        // First: it is told by the time of this moment whether its lease is over, before anything is sent.
        apply({ kind: 'sent', queryId }); // T3
        const lease = groups.taskStamp(queryId, clock.now());
        if (lease === 'notNow' && !mayHaveTasks(queryId)) apply({ kind: 'nowhere', queryId }); // T3
        if (lease === undefined) return holdsByContact() ? { kind: 'granted', lease } : { kind: 'lost' }; // T2
        const isNewEnough = lease !== 'notNow' && (newerThan === undefined || isNewer(lease, newerThan));
        return isNewEnough ? { kind: 'granted', lease } : { kind: 'notNow' };
      },
    };
  }

  /** A lease may be new. */
  onNews(): void {
    this.leaseNews.ring();
  }
}

const isNewer = ({ stamp: a }: ShardStamp, { stamp: b }: ShardStamp): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.seq > b.seq);
