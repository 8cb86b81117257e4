// What a resource manager takes on its streams of leases and seats, and what it refuses.
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Code, createClient } from '@connectrpc/connect';
import { HeartbeatService } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import {
  type LeaseRequestSchema,
  ResourceGroupService,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { DeliverRequestSchema, SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { leaseResponseFromWire } from '@tutti/lease-wire';
import { shardOfGroup } from '@tutti/resource-groups';
import { readRpcError } from '@tutti/service';
import { SeatStage } from './testing/seat-stage.js';

type Requests = readonly MessageInitShape<typeof LeaseRequestSchema>[];

const SHARD = shardOfGroup('global');
const LIFE = { coordinatorId: 'c1', incarnation: 1n };

let stage: SeatStage;

beforeEach(async () => {
  stage = new SeatStage({ ids: ['r1'] });
  // Long enough for one that is alone to have looked around for others.
  await stage.clock.advance(4_000);
});
afterEach(() => stage.end());

const leases = () => createClient(ResourceGroupService, stage.seat('r1').transport);

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** All that is answered to these requests, or why they are refused. */
async function answersTo(requests: Requests) {
  const answers = [];
  try {
    for await (const answer of leases().lease(each(requests))) answers.push(leaseResponseFromWire(answer));
  } catch (error) {
    const { code, reason, message } = readRpcError(error);
    return { answers, refusal: { code, reason, message } };
  }
  return { answers, refusal: undefined };
}

const ownedEpoch = async (): Promise<bigint> => {
  const { answers } = await answersTo([LIFE]);
  return BigInt(answers[0]?.owned?.find(({ shard }) => shard === SHARD)?.epoch ?? 0);
};

it('a stream begins with all that is owned: everything, where there is one resource manager only', async () => {
  const { answers, refusal } = await answersTo([LIFE]);
  expect(refusal).toBeUndefined();
  expect(answers[0]?.resourceManagerId).toBe('r1');
  expect(answers[0]?.owned?.length).toBe(64);
});

it('a demand is answered; one for another owner is told again what is owned', async () => {
  await stage.announce('c1');
  await stage.clock.advance(1_500);
  const ownerEpoch = await ownedEpoch();
  const demand = { shard: SHARD, seq: 1n, ownerEpoch, lapsed: true, leaves: [{ group: 'global', waiting: 2 }] };
  const { answers } = await answersTo([LIFE, { ...LIFE, demands: [demand] }]);
  const grants = answers.flatMap((answer) => answer.grants);
  expect(grants[0]).toMatchObject({ shard: SHARD, grant: { ackSeq: 1, caps: [{ group: 'global', cap: 2 }] } });

  const late = { ...demand, ownerEpoch: ownerEpoch - 1n };
  const { answers: told } = await answersTo([{ ...LIFE, demands: [late] }]);
  expect(told.flatMap((answer) => answer.grants)).toEqual([]);
  expect(told.at(-1)?.owned?.length).toBe(64);
});

it.each<[string, Requests, string]>([
  ['no coordinator', [{ incarnation: 1n }], 'coordinator_id is missing'],
  ['a shard that does not exist', [{ ...LIFE, demands: [{ shard: 64 }] }], 'seq is 0, but must be at least 1'],
  [
    'another coordinator',
    [LIFE, { coordinatorId: 'c2', incarnation: 1n }],
    'the stream of c1 (life 1) says it is of c2',
  ],
  ['another life', [LIFE, { ...LIFE, incarnation: 2n }], 'the stream of c1 (life 1) says it is of c1 (life 2)'],
])('a stream that tells of %s is ended, and says why', async (_what, requests, problem) => {
  const { refusal } = await answersTo(requests);
  expect(refusal).toMatchObject({ code: Code.InvalidArgument, reason: 'BAD_LEASE_MESSAGE' });
  expect(refusal?.message).toContain(problem);
  const { text } = await stage.seat('r1').metrics.expose();
  expect(text).toMatch(/^tutti_lease_streams 0/m);
});

it.each<[string, MessageInitShape<typeof DeliverRequestSchema>[], string]>([
  ['nothing', [{ from: { seat: 'r2', incarnation: 1n }, seatSetVersion: 1n, request: 1n }], 'message is missing'],
  ['nobody', [{ seatSetVersion: 1n }], 'from is missing'],
  ['itself', [hello('r1')], 'the node id r1 is taken'],
  ['two seats', [hello('r2'), hello('r3')], 'the stream of r2 says it is of r3'],
])('a stream of a seat that tells of %s is ended, and says why', async (_what, requests, problem) => {
  const client = createClient(SeatService, stage.seat('r1').transport);
  const end = await client.deliver(each(requests.map((request) => create(DeliverRequestSchema, request)))).then(
    () => undefined,
    (error: unknown) => readRpcError(error),
  );
  expect(end).toMatchObject({ code: Code.InvalidArgument, reason: 'BAD_SEAT_MESSAGE' });
  expect(end?.message).toContain(problem);
});

it('a report with fences that nobody can have kept is refused', async () => {
  const heartbeats = createClient(HeartbeatService, stage.seat('r1').transport);
  const status = { case: 'worker' as const, value: { fencesKept: [{ shard: 99, epoch: 1n, version: 1n }] } };
  const end = await heartbeats
    .reportNode({ report: { nodeId: 'w1', incarnation: 1n, sequence: 1n, status } })
    .catch((error: unknown) => readRpcError(error));
  expect(end).toMatchObject({ code: Code.InvalidArgument, message: 'shard is 99, but must be from 0 to 63' });
});

it('people may look and vouch, but neither demand nor vote', async () => {
  const groups = createClient(ResourceGroupService, stage.seat('r1').edge);
  const seats = createClient(SeatService, stage.seat('r1').edge);
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => undefined,
      (error: unknown) => readRpcError(error).code,
    );
  const leased = async () => {
    for await (const _ of groups.lease(each([LIFE])));
  };
  expect(await codeOf(leased())).toBe(Code.Unimplemented);
  expect(await codeOf(seats.deliver(each([hello('r2')])))).toBe(Code.Unimplemented);
  expect(await seats.listShards({})).toMatchObject({ resourceManagerId: 'r1' });
  const typo = await groups
    .writeOffCoordinator({ coordinatorId: 'nobody' })
    .catch((error: unknown) => readRpcError(error));
  expect(typo).toMatchObject({
    ...{ code: Code.NotFound, reason: 'COORDINATOR_NOT_FOUND' },
    message: 'no coordinator "nobody" is known; no slots are booked for any that is gone',
  });
  expect(await codeOf(groups.writeOffCoordinator({}))).toBe(Code.InvalidArgument);
});

function hello(seat: string): MessageInitShape<typeof DeliverRequestSchema> {
  const message = { case: 'hold' as const, value: {} };
  return { from: { seat, incarnation: 1n }, seatSetVersion: 1n, request: 1n, message };
}
