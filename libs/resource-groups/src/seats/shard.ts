import type { NodeId } from '@tutti/base';
import { groupPath, rootName } from '../group-path.js';

/** A configured resource manager. Its place in the seat set is its vote; its name outlives its processes. */
export type SeatId = NodeId;

/** Root groups are dealt in so many shards: enough to spread them over seats, few enough for one message per second. */
export const SHARD_COUNT = 64;

/** The shard of the root group with this path: the same on every seat and coordinator, for ever. */
export const shardOf = (rootGroup: string, shardCount = SHARD_COUNT): number => hash32(rootGroup) % shardCount;

/** The shard of a group with this path: that of its root group. */
export const shardOfGroup = (path: string): number => shardOf(groupPath([rootName(path)]));

/** The seats in the order in which they should own a shard. Algorithm: rendezvous hashing (Thaler, Ravishankar). */
export function preferenceOf(seats: readonly SeatId[], shard: number): readonly SeatId[] {
  const weighed = seats.map((seat) => ({ seat, weight: hash32(`${seat}/${shard}`) }));
  weighed.sort((a, b) => b.weight - a.weight || (a.seat < b.seat ? -1 : 1));
  return weighed.map(({ seat }) => seat);
}

/** Algorithms: FNV-1a, 32 bits (Fowler, Noll, Vo), with the finalizer of MurmurHash3 (Austin Appleby). */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
