import { seededRandom } from '@tutti/base';
import type { LeaseHolderOptions } from '../leases/lease-holder.js';

/** Who holds leases, for a coordinator of a test in its first life. */
export const leasesOf = (coordinatorId: string): LeaseHolderOptions => ({
  life: { coordinatorId, incarnation: 1 },
  random: seededRandom(1),
});
