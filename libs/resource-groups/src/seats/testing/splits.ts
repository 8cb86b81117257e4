import { nodeId, randomInt } from '@tutti/base';
import { seatSet } from '../seat-set.js';
import { SeatChecks, Violation } from './seat-checks.js';
import { GOOD } from './seat-faults.js';
import { SeatWorld } from './seat-world.js';

const SHARD_COUNT = 4;
const START_MS = 16_000;
/** The promises of the lost end, and the ranks of the rest back off, on clocks that run 5 % slow. */
const REDEAL_MS = (3_150 + 4 * 150 + 50) / 0.95;

/**
 * Over a network that loses nothing, a minority of seats is cut off or dies, and comes back, again and again. Returns the
 * longest time for which a shard had no owner. Throws Violation when it is too long, or when an owner is lost without need.
 */
export function runSplits(seed: number, rounds: number): number {
  const checks: SeatChecks = new SeatChecks(() => world);
  const world: SeatWorld = new SeatWorld({
    ...{ seed, shardCount: SHARD_COUNT, driftMax: 0.05 },
    onEffect: (node, effect) => checks.onEffect(node, effect),
    onStep: () => checks.afterStep(),
  });
  const { random, network, time } = world;
  const seats = ['a', 'b', 'c', 'd', 'e'].slice(0, [3, 5, 4][seed % 3]).map(nodeId);
  const set = seatSet(1, seats);
  network.faults = GOOD;
  for (const seat of seats) world.node(seat).start(set);
  time.runUntil(START_MS);

  let longestMs = 0;
  for (let round = 0; round < rounds; round++) {
    const minority = Math.floor((seats.length - 1) / 2);
    const away = [...seats].sort(() => random() - 0.5).slice(0, 1 + randomInt(random, minority));
    const rest = seats.filter((seat) => !away.includes(seat));
    const dies = random() < 0.5;
    if (dies) for (const seat of away) world.node(seat).stop();
    else network.split(seats, [away, rest]);

    const cutAt = time.now;
    const ownerless = (): number[] =>
      [...Array(SHARD_COUNT).keys()].filter((shard) => !rest.some((seat) => owns(seat, shard)));
    const owns = (seat: (typeof seats)[number], shard: number): boolean => {
      const node = world.node(seat);
      return node.machine?.owns(shard, node.now()) ?? false;
    };
    while (ownerless().length > 0 && time.now < cutAt + REDEAL_MS) time.runUntil(time.now + 10);
    if (ownerless().length > 0)
      throw new Violation(`S4: seed ${seed}: nobody owns shard ${ownerless().join(', ')} ${REDEAL_MS} ms after a cut`);
    longestMs = Math.max(longestMs, time.now - cutAt);
    for (let step = 0; step < 40; step++) {
      time.runUntil(time.now + 100);
      const before = ownerless();
      if (before.length === 0) continue;
      // A shard may just be on its way to a seat that should have it, or that has just died.
      time.runUntil(time.now + 1_000);
      if (ownerless().some((shard) => before.includes(shard)))
        throw new Violation(`S4: seed ${seed}: shard ${ownerless().join(', ')} lost its owner in a whole majority`);
    }
    for (const seat of away) if (dies) world.node(seat).start(set);
    network.heal();
    // Who was away promises again, has the ledgers again, and has its shards back.
    time.runUntil(time.now + 20_000);
  }
  return longestMs;
}
