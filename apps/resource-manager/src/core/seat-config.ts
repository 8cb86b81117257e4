import { type NodeId, nodeId } from '@tutti/base';
import { type SeatSet, seatSet } from '@tutti/resource-groups';
import type { Settings } from '../settings.js';

/** The seats as configured; without any this resource manager decides alone. */
export const seatsOf = ({ ids, version }: Settings['seats'], ownId: NodeId): SeatSet =>
  seatSet(version, ids.length === 0 ? [ownId] : ids.map(nodeId));
