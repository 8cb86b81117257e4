import type { Instant } from '@tutti/base';
import type { LeaseRules, LeaseTiming, SeatRules, UsageSnapshot } from '@tutti/resource-groups';

/** What is done wrong in a world, to show that the checks can fail. */
export interface PlantedBugs {
  readonly leaseRules?: LeaseRules;
  readonly seatRules?: SeatRules;
  readonly leaseTiming?: LeaseTiming;
  /** Falsifies what resource managers answer about usage. */
  readonly tamper?: (usage: UsageSnapshot, now: Instant) => UsageSnapshot;
  /** Tasks are sent though nobody has heard the coordinator for long. */
  readonly ignoresContact?: boolean;
}
