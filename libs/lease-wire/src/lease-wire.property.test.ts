// Whatever the machines say arrives as it was said, through the bytes of the wire.
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { nodeId } from '@tutti/base';
import {
  FenceListSchema,
  FencesKeptSchema,
  LeaseRequestSchema,
  LeaseResponseSchema,
  TaskLeaseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { DeliverRequestSchema } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import type { SeatMessage } from '@tutti/resource-groups';
import {
  fenceListFromWire,
  fenceListToWire,
  fencesKeptFromWire,
  fencesKeptToWire,
  leaseRequestFromWire,
  leaseRequestToWire,
  leaseResponseFromWire,
  leaseResponseToWire,
  seatMessageFromWire,
  seatMessagesToWire,
  taskLeaseFromWire,
  taskLeaseToWire,
} from './index.js';
import { MessageMaker } from './testing/message-maker.js';

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);
const SEAT_KINDS: readonly SeatMessage['kind'][] = ['hold', 'holdAnswer', 'copy', 'copyAnswer', 'release', 'handOver'];

const sent = <D extends DescMessage>(schema: D, init: MessageInitShape<D>) =>
  fromBinary(schema, toBinary(schema, create(schema, init)));

it('demands arrive as they were sent', () => {
  for (const seed of SEEDS) {
    const maker = new MessageMaker(seed);
    const demand = maker.demand();
    const { coordinatorId, incarnation } = demand;
    const ask = { life: { coordinatorId, incarnation }, demands: [{ shard: maker.shard(), demand }] };
    expect(leaseRequestFromWire(sent(LeaseRequestSchema, leaseRequestToWire(ask.life, ask.demands)))).toEqual(ask);
  }
});

it('grants and owned shards arrive as they were sent', () => {
  for (const seed of SEEDS) {
    const maker = new MessageMaker(seed);
    const owned = seed % 3 === 0 ? undefined : [{ shard: maker.shard(), epoch: maker.number(1) }];
    const grants = [
      { shard: maker.shard(), grant: maker.grant() },
      { shard: maker.shard(), grant: maker.grant() },
    ];
    const telling = { resourceManagerId: nodeId('r1'), owned: seed % 5 === 0 ? [] : owned, grants };
    expect(leaseResponseFromWire(sent(LeaseResponseSchema, leaseResponseToWire(telling)))).toEqual(telling);
  }
});

it('fences arrive as they were sent, and so does what workers say of them', () => {
  for (const seed of SEEDS) {
    const maker = new MessageMaker(seed);
    const fences = { shard: maker.shard(), list: maker.fenceList() };
    expect(fenceListFromWire(sent(FenceListSchema, fenceListToWire(fences)))).toEqual(fences);
    const kept = [{ shard: maker.shard(), epoch: maker.number(), version: maker.number() }];
    expect(fencesKeptFromWire(fencesKeptToWire(kept).map((one) => sent(FencesKeptSchema, one)))).toEqual(kept);
    const [incarnation, epoch, seq] = [maker.number(1), maker.number(1), maker.number(1)];
    const lease = { shard: maker.shard(), stamp: { coordinatorId: 'c1', incarnation, epoch, seq } };
    expect(taskLeaseFromWire(sent(TaskLeaseSchema, taskLeaseToWire(lease)), 'c1')).toEqual(lease);
  }
});

it.each(SEAT_KINDS)('messages of seats arrive as they were sent: %s', (kind) => {
  for (const seed of SEEDS) {
    const message = new MessageMaker(seed).seatMessage(kind);
    const parts = seatMessagesToWire(message).map((part) => seatMessageFromWire(sent(DeliverRequestSchema, part)));
    expect(parts).toEqual([message]);
  }
});

it('an answer with more of ledgers than a message has room for arrives in parts that say the same', () => {
  const maker = new MessageMaker(1);
  const entries = Array.from({ length: 20_000 }, (_, seq) => ({
    ...{ key: `h\ncoordinator-1\n1700000000000\nglobal.pipelines.group-${seq}`, epoch: 7, seq },
    payload: Uint8Array.of(1),
  }));
  const copies = { base: { epoch: 0, seq: 0 }, entries };
  const answer = { ...maker.seatMessage('holdAnswer') } as Extract<SeatMessage, { kind: 'holdAnswer' }>;
  const items = [3, 4, 5, 6].map((shard) => ({
    ...{ kind: 'promised' as const, shard, epoch: 8, remembers: true, priorEpoch: 7, quietMs: 100, copies },
  }));
  const parts = seatMessagesToWire({ ...answer, items });
  expect(parts.length).toBe(4);
  const heard = parts.map((part) => seatMessageFromWire(sent(DeliverRequestSchema, part)));
  expect(heard.flatMap((part) => (part.kind === 'holdAnswer' ? part.items : []))).toEqual(items);
  for (const part of heard) expect({ ...part, items: [] }).toEqual({ ...answer, items: [] });
});
