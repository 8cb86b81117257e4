// What no process of this cluster sends is refused whole, and the sender is told which field is wrong.
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import {
  FenceListSchema,
  FencesKeptSchema,
  type GrantKind,
  type LeaseDemandSchema,
  type LeaseGrantSchema,
  LeaseRequestSchema,
  LeaseResponseSchema,
  TaskLeaseSchema,
  type WishMode,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { DeliverRequestSchema } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import {
  BadMessage,
  fenceListsFromWire,
  fencesKeptFromWire,
  leaseRequestFromWire,
  leaseResponseFromWire,
  seatMessageFromWire,
  seatSetFromWire,
  taskLeaseFromWire,
} from './index.js';

type Init<D extends DescMessage> = Extract<MessageInitShape<D>, { $typeName?: never }>;
type DemandInit = Init<typeof LeaseDemandSchema>;
type GrantInit = Init<typeof LeaseGrantSchema>;

const DEMAND: DemandInit = { shard: 3, seq: 2n, ownerEpoch: 5n, leaves: [{ group: 'global', held: 1 }] };
const GRANT: GrantInit = { shard: 3, kind: 1, epoch: 5n, number: 1n, ackSeq: 2n, ttl: { seconds: 10n } };
const TOO_LARGE = 2n ** 53n;

const told = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof BadMessage) return error.message;
    throw error;
  }
  return 'taken';
};

it.each<[string, DemandInit, string]>([
  ['no fault', {}, 'taken'],
  ['a shard that does not exist', { shard: 64 }, 'shard is 64, but must be from 0 to 63'],
  ['no seq', { seq: 0n }, 'seq is 0, but must be at least 1'],
  ['a number that would lose digits', { seq: TOO_LARGE }, 'seq is 9007199254740992, which is too large'],
  ['no owner', { ownerEpoch: 0n }, 'owner_epoch is 0, but must be at least 1'],
  ['a base that comes after it', { baseSeq: 2n }, 'base_seq is 2, but must be before seq 2'],
  ['a group without a path', { leaves: [{ held: 1 }] }, 'group is missing'],
  ['a group twice', { leaves: [{ group: 'a' }, { group: 'a' }] }, 'leaves says something twice'],
  ['more that runs than is held', { leaves: [{ group: 'a', running: 2, held: 1 }] }, 'held is 1, but 2 run in a'],
  ['an endless path', { leaves: [{ group: 'a'.repeat(8_193) }] }, 'group has 8193 characters; at most 8192 are taken'],
  [
    'too many that wait',
    { leaves: [{ group: 'a', oldest: Array.from({ length: 9 }, () => ({ age: {} })) }] },
    'oldest has 9 items; at most 8 are taken',
  ],
  [
    'somebody who waits since tomorrow',
    { leaves: [{ group: 'a', oldest: [{ age: { seconds: -1n } }] }] },
    'age is -1 s and 0 ns, which is no span of time',
  ],
])('a demand with %s', (_what, wrong, problem) => {
  const request = create(LeaseRequestSchema, {
    coordinatorId: 'c1',
    incarnation: 1n,
    demands: [{ ...DEMAND, ...wrong }],
  });
  expect(told(() => leaseRequestFromWire(request))).toBe(problem);
});

it.each<[string, Init<typeof LeaseRequestSchema>, string]>([
  ['nobody', { coordinatorId: '' }, 'coordinator_id is missing'],
  ['no life', { incarnation: 0n }, 'incarnation is 0, but must be at least 1'],
  ['two demands for a shard', { demands: [DEMAND, DEMAND] }, 'demands says something twice'],
  [
    'more demands than there are shards',
    { demands: Array.from({ length: 65 }, () => DEMAND) },
    'demands has 65 items; at most 64 are taken',
  ],
])('demands of %s', (_what, wrong, problem) => {
  const request = create(LeaseRequestSchema, { coordinatorId: 'c1', incarnation: 1n, ...wrong });
  expect(told(() => leaseRequestFromWire(request))).toBe(problem);
});

it.each<[string, GrantInit, string]>([
  ['no fault', {}, 'taken'],
  ['no kind', { kind: 0 }, 'kind is 0, which is unknown'],
  ['a kind of the future', { kind: 99 as GrantKind }, 'kind is 99, which is unknown'],
  ['no owner', { epoch: 0n }, 'epoch is 0, but must be at least 1'],
  ['no place in the order', { number: 0n }, 'number is 0, but must be at least 1'],
  ['no end', { ttl: undefined }, 'ttl is missing'],
  ['a wish of the future', { wishes: [{ group: 'a', mode: 9 as WishMode }] }, 'mode is 9, which is unknown'],
])('a grant with %s', (_what, wrong, problem) => {
  const response = create(LeaseResponseSchema, { resourceManagerId: 'r1', grants: [{ ...GRANT, ...wrong }] });
  expect(told(() => leaseResponseFromWire(response))).toBe(problem);
});

it('shards that are owned twice, or by nobody', () => {
  const response = (shards: { shard: number; epoch: bigint }[], resourceManagerId = 'r1') =>
    leaseResponseFromWire(create(LeaseResponseSchema, { resourceManagerId, owned: { shards } }));
  const owned = { shard: 1, epoch: 2n };
  expect(told(() => response([owned, owned]))).toBe('owned says something twice');
  expect(told(() => response([{ shard: 1, epoch: 0n }]))).toBe('epoch is 0, but must be at least 1');
  expect(told(() => response([owned], ''))).toBe('resource_manager_id is missing');
});

it('fences and leases of tasks', () => {
  const lists = (...wires: Init<typeof FenceListSchema>[]) =>
    fenceListsFromWire(wires.map((wire) => create(FenceListSchema, { epoch: 1n, version: 1n, ...wire })));
  expect(told(() => lists({ shard: 1 }, { shard: 1 }))).toBe('fences says something twice');
  expect(told(() => lists({ epoch: 0n }))).toBe('epoch is 0, but must be at least 1');
  expect(told(() => lists({ fences: [{ coordinatorId: '' }] }))).toBe('coordinator_id is missing');
  expect(told(() => lists({ leasedRootGroups: [''] }))).toBe('leased_root_groups is missing');
  expect(told(() => fencesKeptFromWire([create(FencesKeptSchema, { shard: 70 })]))).toMatch(/^shard is 70/);
  const lease = { shard: 1, coordinatorIncarnation: 1n, epoch: 1n, seq: 1n };
  const read = (wrong: object, coordinatorId = 'c1') =>
    told(() => taskLeaseFromWire(create(TaskLeaseSchema, { ...lease, ...wrong }), coordinatorId));
  expect(read({})).toBe('taken');
  expect(read({ epoch: 0n })).toBe('epoch is 0, but must be at least 1');
  expect(read({ coordinatorIncarnation: 0n })).toBe('coordinator_incarnation is 0, but must be at least 1');
  expect(read({}, '')).toBe('coordinator_id is missing');
});

it.each<[string, Init<typeof DeliverRequestSchema>, string]>([
  ['no fault', {}, 'taken'],
  ['no sender', { from: undefined }, 'from is missing'],
  ['a sender without a life', { from: { seat: 'r1' } }, 'from.incarnation is 0, but must be at least 1'],
  ['no seat set', { seatSetVersion: 0n }, 'seat_set_version is 0, but must be at least 1'],
  ['nothing to say', { message: { case: undefined } }, 'message is missing'],
  [
    'an answer to no life',
    { toIncarnation: 0n, message: { case: 'copyAnswer', value: { result: 1 } } },
    'to_incarnation is 0, but must be at least 1',
  ],
  ['no result', { message: { case: 'copyAnswer', value: {} } }, 'result is 0, which is unknown'],
  ['neither yes nor no', { message: { case: 'holdAnswer', value: { items: [{}] } } }, 'outcome is missing'],
  ['a hand-over of nothing', { message: { case: 'handOver', value: { epoch: 1n } } }, 'copies is missing'],
  [
    'a shard twice',
    { message: { case: 'hold', value: { items: [{ epoch: 1n }, { epoch: 1n }] } } },
    'items says something twice',
  ],
  [
    'an entry that is no ledger entry',
    {
      message: {
        case: 'copy',
        value: { epoch: 1n, extent: 1, entries: [{ key: 'h', epoch: 1n, payload: new Uint8Array(2_000) }] },
      },
    },
    'payload has 2000 bytes; at most 1024 are taken',
  ],
])('a message of a seat with %s', (_what, wrong, problem) => {
  const sound = { from: { seat: 'r1', incarnation: 1n }, seatSetVersion: 1n, request: 1n, toIncarnation: 1n };
  const hello = { message: { case: 'hold' as const, value: {} } };
  expect(told(() => seatMessageFromWire(create(DeliverRequestSchema, { ...sound, ...hello, ...wrong })))).toBe(problem);
});

it('a seat set', () => {
  const seatSet = (version: bigint, ...seats: string[]) =>
    told(() => seatSetFromWire({ $typeName: 'tutti.seat.v1.SeatSet', version, seats }));
  expect(seatSet(1n, 'r1', 'r2')).toBe('taken');
  expect(seatSet(0n, 'r1')).toBe('version is 0, but must be at least 1');
  expect(seatSet(1n, 'r1', 'r1')).toBe('seats says something twice');
  expect(seatSet(1n, ...'0123456789')).toBe('seats has 10 items; at most 9 are taken');
  expect(seatSetFromWire(undefined)).toBeUndefined();
});
