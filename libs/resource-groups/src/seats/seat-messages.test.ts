import { type Instant, instant, nodeId } from '@tutti/base';
import type { CopyLimits } from './copy-store.js';
import { COPIES_PENDING_MAX } from './copy-flow.js';
import type { SeatEffect, SeatEvent } from './seat-events.js';
import { SeatMachine } from './seat-machine.js';
import type { SeatMessage } from './seat-messages.js';
import { seatSet } from './seat-set.js';
import { SHARD_COUNT, type SeatId } from './shard.js';

const seats = ['a', 'b', 'c'].map(nodeId);
const payload = Buffer.from('x');

/** Three machines and the messages between them, which arrive at once. */
class Trio {
  nowMs = 0;
  readonly told: Exclude<SeatEffect, { kind: 'send' }>[] = [];
  readonly sent: { to: string; message: SeatMessage }[] = [];
  private readonly machines: Map<SeatId, SeatMachine>;

  constructor(
    private readonly shardCount = 1,
    private readonly copyLimits?: CopyLimits,
  ) {
    this.machines = new Map(seats.map((seat) => [seat, this.newMachine(seat, 1)]));
  }

  newMachine(seat: SeatId, incarnation: number): SeatMachine {
    const { shardCount, copyLimits } = this;
    const options = { seat, incarnation, startedAt: this.now, seatSet: seatSet(1, seats), random: () => 0.5 };
    return new SeatMachine({ ...options, shardCount, ...(copyLimits && { copyLimits }) });
  }

  get now(): Instant {
    return instant(this.nowMs);
  }

  machine(seat: string): SeatMachine {
    const machine = this.machines.get(nodeId(seat));
    if (machine === undefined) throw new Error(`no seat ${seat}`);
    return machine;
  }

  apply(seat: string, event: SeatEvent, delivers = true): SeatEffect[] {
    const effects = this.machine(seat).apply(event, this.now);
    for (const effect of effects) {
      if (effect.kind !== 'send') this.told.push(effect);
      else {
        this.sent.push(effect);
        if (delivers) this.apply(effect.to, { kind: 'received', message: effect.message });
      }
    }
    return effects;
  }

  pass(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; this.nowMs += 50) {
      for (const seat of seats) this.apply(seat, { kind: 'tick' });
    }
  }

  owner(shard = 0): string {
    return seats.find((seat) => this.machine(seat).owns(shard, this.now)) ?? 'nobody';
  }
}

function settled(shardCount = 1, copyLimits?: CopyLimits): Trio {
  const trio = new Trio(shardCount, copyLimits);
  trio.pass(5_000);
  for (let shard = 0; shard < shardCount; shard++) trio.apply(trio.owner(shard), { kind: 'learned', shard });
  trio.pass(15_000);
  return trio;
}

describe('what seats say', () => {
  it('is one message for all shards to each seat and renewal', () => {
    const trio = settled(SHARD_COUNT);
    trio.sent.length = 0;
    trio.pass(10_000);
    // Three seats ask two others, and are answered, once a second.
    expect(trio.sent.length).toBeLessThanOrEqual(3 * 2 * 2 * 10);
    expect(
      Math.max(...trio.sent.map(({ message }) => (message.kind === 'hold' ? message.items.length : 0))),
    ).toBeGreaterThan(SHARD_COUNT / 6);
  });

  it('is ignored when it comes from a former life, or is for one', () => {
    const trio = settled();
    const owner = trio.owner();
    const other = seats.find((seat) => seat !== owner) ?? '';
    const [renewal] = trio.sent.filter(({ to, message }) => to === other && message.kind === 'hold').slice(-1);
    if (renewal?.message.kind !== 'hold') throw new Error('the owner renews');
    const from = { ...renewal.message.from, incarnation: 0 };
    expect(trio.apply(other, { kind: 'received', message: { ...renewal.message, from } }, false)).toMatchObject([
      { kind: 'send', message: { kind: 'holdAnswer', askerIncarnation: 1, toIncarnation: 0, items: [] } },
    ]);
    const forAnother: SeatMessage = {
      ...({ kind: 'copy', version: 1, request: 9_999, toIncarnation: 7, shard: 0, epoch: 99 } as const),
      ...({ from: renewal.message.from, extent: 'new', through: 1, entries: [] } as const),
    };
    expect(trio.apply(other, { kind: 'received', message: forAnother })).toEqual([]);
  });

  it('about shards that there are not changes nothing', () => {
    const trio = settled();
    const items = [{ shard: 77, epoch: 99, copiesWanted: false }];
    const from = { seat: nodeId('b'), incarnation: 1 };
    const message = { kind: 'hold', from, version: 1, request: 9_999, items } as const;
    trio.apply('a', { kind: 'received', message }, false);
    expect(trio.owner()).not.toBe('nobody');
  });

  it('by a seat that is none is refused', () => {
    const trio = settled();
    const from = { seat: nodeId('z'), incarnation: 1 };
    const items = [{ shard: 0, epoch: 1e6, copiesWanted: true }];
    const message = { kind: 'hold', from, version: 9, request: 1, items } as const;
    expect(trio.apply('a', { kind: 'received', message }, false)).toMatchObject([
      { message: { items: [{ kind: 'refused', reason: 'otherSeatSet' }] } },
    ]);
  });

  it('tells a process that another one is a newer life of its seat: it gives up, and begins above it', () => {
    const trio = settled();
    const owner = trio.owner();
    const twin = trio.newMachine(nodeId(owner), 50);
    for (const effect of twin.apply({ kind: 'tick' }, trio.now))
      if (effect.kind === 'send') trio.apply(effect.to, { kind: 'received', message: effect.message }, false);
    trio.pass(1_000);
    expect(trio.told.at(-1)).toMatchObject({ kind: 'lost', reason: 'superseded' });
    expect(trio.machine(owner).isReady(trio.now)).toBe(false);
    trio.pass(30_000);
    expect(trio.owner()).not.toBe('nobody');
  });
});

describe('what an owner has copied', () => {
  const copyOf = (seq: number, key = `k${seq}`): SeatEvent => ({
    ...{ kind: 'copy', shard: 0, entries: [{ key, seq, payload }] },
  });

  it('is refused where it does not own the shard', () => {
    const trio = settled();
    const other = seats.find((seat) => seat !== trio.owner()) ?? '';
    expect(trio.apply(other, copyOf(1))).toEqual([{ kind: 'copyRefused', shard: 0, seq: 1, reason: 'notOwner' }]);
  });

  it('is refused when there is no room for it', () => {
    const trio = settled(1, { entriesMax: 2, bytesMax: 1_000 });
    for (const seq of [1, 2]) trio.apply(trio.owner(), copyOf(seq));
    expect(trio.told.at(-1)).toMatchObject({ kind: 'copied', seq: 2 });
    expect(trio.apply(trio.owner(), copyOf(3))).toEqual([{ kind: 'copyRefused', shard: 0, seq: 3, reason: 'full' }]);
    trio.apply(trio.owner(), copyOf(4, 'k2'));
    expect(trio.told.at(-1)).toMatchObject({ kind: 'copied', seq: 4 });
  });

  it('is refused when too much waits for an answer', () => {
    const trio = settled();
    const owner = trio.owner();
    for (let seq = 1; seq <= COPIES_PENDING_MAX; seq++) trio.apply(owner, copyOf(seq), false);
    expect(trio.apply(owner, copyOf(5_000), false)).toMatchObject([{ kind: 'copyRefused', reason: 'tooManyPending' }]);
    trio.pass(3_000);
    expect(trio.told.at(-1)).toMatchObject({ kind: 'copied', seq: COPIES_PENDING_MAX });
  });

  it('must be numbered upwards', () => {
    const trio = settled();
    trio.apply(trio.owner(), copyOf(5));
    expect(() => trio.apply(trio.owner(), copyOf(5))).toThrow('not above the last');
  });
});

describe('a seat', () => {
  it('knows who owns a shard, and with which epoch', () => {
    const trio = settled();
    for (const seat of seats)
      expect(trio.machine(seat).ownerOf(0, trio.now)).toEqual({
        holder: { seat: trio.owner(), incarnation: 1 },
        epoch: expect.any(Number),
      });
  });

  it('is ready when it promises every shard', () => {
    const trio = new Trio();
    expect(trio.machine('a').isReady(trio.now)).toBe(false);
    trio.pass(4_000);
    expect(trio.machine('a').isReady(trio.now)).toBe(true);
  });
});
