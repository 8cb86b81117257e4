import type { ShardGrant } from '@tutti/lease-wire';
import { LeaseOutbox, ReadsTooSlowly } from './lease-outbox.js';

const grant = (number: number, caps = 0): ShardGrant => ({
  shard: 1,
  grant: {
    ...{ kind: 'pushed', epoch: 1, number, ackSeq: 1, ttlMs: 10_000, wishes: [], hints: [] },
    caps: Array.from({ length: caps }, (_, cap) => ({ group: `g${cap}`, cap })),
  },
});

/** Reads as fast as it can: the numbers of the grants of each message, with the shards that are owned. */
function reader(outbox: LeaseOutbox) {
  const tellings = outbox.tellings();
  return async () => {
    const { value, done } = await tellings.next();
    if (done === true) return 'the end';
    const owned = value.owned?.map(({ shard }) => shard).join(' ');
    const numbers = value.grants.map((one) => one.grant.number).join(' ');
    return owned === undefined ? numbers : `owns ${owned}: ${numbers}`;
  };
}

it('what was said between two reads leaves in one message: all grants, and what is owned now', async () => {
  const outbox = new LeaseOutbox();
  const read = reader(outbox);
  const first = read();
  outbox.tellOwned([{ shard: 7, epoch: 1 }]);
  expect(await first).toBe('owns 7: ');
  outbox.tellGrant(grant(1));
  outbox.tellOwned([]);
  outbox.tellGrant(grant(2));
  outbox.tellOwned([
    { shard: 8, epoch: 2 },
    { shard: 9, epoch: 2 },
  ]);
  expect(await read()).toBe('owns 8 9: 1 2');
  const next = read();
  outbox.tellGrant(grant(3));
  expect(await next).toBe('3');
});

it('what waits is told before the end, and nothing after it', async () => {
  const outbox = new LeaseOutbox();
  const read = reader(outbox);
  outbox.tellGrant(grant(1));
  outbox.close();
  outbox.tellGrant(grant(2));
  expect([await read(), await read()]).toEqual(['1', 'the end']);
});

it('more than a message has room for leaves in several', async () => {
  const outbox = new LeaseOutbox();
  const read = reader(outbox);
  for (let number = 1; number <= 3; number++) outbox.tellGrant(grant(number, 4_999));
  expect([await read(), await read()]).toEqual(['1 2', '3']);
  outbox.tellGrant(grant(4, 20_000));
  expect(await read()).toBe('4');
});

it('a coordinator that reads too slowly loses its stream, since no grant may be left out', async () => {
  const outbox = new LeaseOutbox();
  for (let number = 1; number <= 50_001; number++) outbox.tellGrant(grant(number));
  await expect(reader(outbox)()).rejects.toThrow(ReadsTooSlowly);
  expect(outbox.isClosed).toBe(true);
});

it('what has left has room again', async () => {
  const outbox = new LeaseOutbox();
  const read = reader(outbox);
  for (let round = 0; round < 20; round++) {
    outbox.tellGrant(grant(round, 9_000));
    expect(await read()).toBe(String(round));
  }
});
