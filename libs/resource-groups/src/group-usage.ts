// What a resource manager tells a coordinator of the others.
import type { Instant } from '@tutti/base';

/** Claims of other coordinators that come before those that we made in `round` and later, or will make. */
export interface ClaimsAhead {
  readonly round: number;
  readonly count: number;
}

/** What other coordinators run and wait for in one leaf group. */
export interface GroupUsage {
  readonly running: number;
  readonly queued: number;
  /** Memory that the running ones hold. */
  readonly memoryBytes: number;
  readonly claimsAhead: readonly ClaimsAhead[];
}

/** One answer of a resource manager, with the time at which it was asked for. */
export interface UsageSnapshot {
  /** Taken on our clock before the request was sent. */
  readonly requestedAt: Instant;
  /** The resource manager and its life, for example its id and incarnation: two lives keep two orders of claims. */
  readonly answeredBy: string;
  /** The newest round of our claims that was known when the answer was made; 0 when none was. */
  readonly knownRound: number;
  /** By the path of the leaf group. */
  readonly groups: ReadonlyMap<string, GroupUsage>;
  /** CPU time in milliseconds that groups with a CPU limit used and did not get back yet, in the whole cluster, by path. */
  readonly cpu: ReadonlyMap<string, number>;
  /** Age of the oldest report in the answer, when the answer was made. */
  readonly oldestDataAgeMs: number;
  /** Of how many other coordinators this is the sum. */
  readonly coordinatorCount: number;
}
