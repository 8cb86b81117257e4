import { type Instant, instant } from '@tutti/base';
import type { NodeRecord, WitnessedRecord } from './node-record.js';

// Whether this process is the one that its node id stands for, by what resource managers answer to its announcements. Pure.
//   C1. Of several processes that announce themselves with one node id the one with the newest record counts, at every
//       resource manager (N1 of node-table.ts). The others are told of that record, and when its node was heard.
//   C2. The name is taken when that node was heard after this process began to announce itself: a former life, whose clock
//       may have been ahead, is not heard any more. Neither is one that said good-bye.
//   C3. It is free again when nobody who answers has told of such a node for FREE_AFTER_MS: resource managers that have
//       just started hear the one sooner than the other.

const FREE_AFTER_MS = 3_000;

/** What has changed for this process. */
export type NameNews =
  /** Another process has the name. */
  | { readonly kind: 'taken'; readonly by: NodeRecord }
  /** It has not any more. */
  | { readonly kind: 'free' };

export class NameClaim {
  private beganAt: Instant | undefined;
  /** By address: whether the last answer told of another process that is there. */
  private readonly answers = new Map<string, boolean>();
  private takenBy: NodeRecord | undefined;
  private quietSince: Instant | undefined;

  /** The process that has the name; undefined while it is this one, as far as is known. */
  get owner(): NodeRecord | undefined {
    return this.takenBy;
  }

  /** Whether somebody tells of a record that is newer: ask again soon. */
  get isDoubtful(): boolean {
    return this.takenBy !== undefined || [...this.answers.values()].includes(true);
  }

  /** This process announces itself. */
  announced(now: Instant): void {
    this.beganAt ??= now;
  }

  /** A resource manager answered; `newer` is what it holds instead of the announcement. */
  answered(address: string, newer: WitnessedRecord | undefined, now: Instant): NameNews | undefined {
    const isThere = newer !== undefined && newer.record.state !== 'GONE';
    this.answers.set(address, isThere);
    if (isThere && this.takenBy === undefined && this.wasHeardSince(newer, now)) {
      this.takenBy = newer.record; // C2
      return { kind: 'taken', by: newer.record };
    }
    return this.look(now);
  }

  /** A resource manager cannot be reached: what it said last counts no more. */
  lost(address: string): void {
    this.answers.delete(address);
    if (this.answers.size === 0) this.quietSince = undefined;
  }

  private wasHeardSince({ ageMs }: WitnessedRecord, now: Instant): boolean {
    return this.beganAt !== undefined && now - ageMs > this.beganAt;
  }

  /** C3 */
  private look(now: Instant): NameNews | undefined {
    if (this.takenBy === undefined) return undefined;
    if ([...this.answers.values()].includes(true)) this.quietSince = undefined;
    else this.quietSince ??= instant(now);
    if (this.quietSince === undefined || now - this.quietSince < FREE_AFTER_MS) return undefined;
    this.takenBy = this.quietSince = undefined;
    return { kind: 'free' };
  }
}

const ROLE_NAMES = { coordinator: 'coordinator', resourceManager: 'resource manager', worker: 'worker' } as const;

/** The process that has the name, for people. */
export const nameTakenText = ({ nodeId, role, clusterAddress }: NodeRecord): string =>
  `another process with node id "${nodeId}" (a ${ROLE_NAMES[role]}, started later, at ${clusterAddress}) is in the cluster; ` +
  'give each process its own --node-id';

/** The same as a resource manager sees it, which hears both. */
export const nameSharedText = (older: NodeRecord, newer: NodeRecord): string =>
  `two processes share the node id "${newer.nodeId}": a ${ROLE_NAMES[newer.role]} at ${newer.clusterAddress}, which started ` +
  `later and counts, and a ${ROLE_NAMES[older.role]} at ${older.clusterAddress}, which does not; ` +
  'give each process its own --node-id';
