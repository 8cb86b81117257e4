import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { GetUsageResponseSchema, GroupCountsSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { countsToWire, usageFromWire } from './usage-codec.js';

test('the counts of a group go over the wire with memory, CPU and template', () => {
  const counts = {
    group: 'global.ada',
    running: 2,
    queued: 3,
    claimed: 1,
    claimRound: 7,
    hardConcurrencyLimit: 4,
    maxQueued: 5,
    memoryBytes: 1_000_000.4,
    cpuMs: 2_500,
    cpuQuotaMsPerSecond: 24_000,
    template: 'global.${USER}',
  };
  const wire = fromBinary(
    GroupCountsSchema,
    toBinary(GroupCountsSchema, create(GroupCountsSchema, countsToWire(counts))),
  );
  expect(wire).toMatchObject({
    group: 'global.ada',
    running: 2,
    queued: 3,
    claimed: 1,
    claimRound: 7n,
    hardConcurrencyLimit: 4,
    maxQueued: 5,
    memoryBytes: 1_000_000n,
    cpuTime: { seconds: 2n, nanos: 500_000_000 },
    cpuQuotaCores: 24,
    template: 'global.${USER}',
  });
});

test('an answer tells of others what they hold, and of groups the CPU that they used', () => {
  const answer = create(GetUsageResponseSchema, {
    resourceManagerId: 'rm',
    resourceManagerIncarnation: 3n,
    knownRound: 2n,
    groups: [{ group: 'a', running: 1, queued: 2, memoryBytes: 1n << 40n, claimsAhead: [{ round: 2n, count: 1 }] }],
    cpu: [{ group: 'a', used: { seconds: 1n, nanos: 500_000_000 } }, { group: 'b' }],
    coordinators: [{ nodeId: 'c2', age: { seconds: 0n, nanos: 30_000_000 } }],
  });
  expect(usageFromWire(answer)).toEqual({
    answeredBy: 'rm@3',
    knownRound: 2,
    groups: new Map([['a', { running: 1, queued: 2, memoryBytes: 2 ** 40, claimsAhead: [{ round: 2, count: 1 }] }]]),
    cpu: new Map([
      ['a', 1_500],
      ['b', 0],
    ]),
    oldestDataAgeMs: 30,
    coordinatorCount: 1,
  });
});
