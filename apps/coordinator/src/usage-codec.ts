import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import type { GetUsageResponse, GroupCountsSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { GroupCounts, UsageSnapshot } from '@tutti/resource-groups';

/** A core that is always busy uses so much CPU time in a second. */
const MS_PER_SECOND_OF_CORE = 1_000;

export const countsToWire = (counts: GroupCounts): MessageInitShape<typeof GroupCountsSchema> => ({
  group: counts.group,
  running: counts.running,
  queued: counts.queued,
  hardConcurrencyLimit: counts.hardConcurrencyLimit,
  maxQueued: counts.maxQueued,
  claimed: counts.claimed,
  claimRound: BigInt(counts.claimRound),
  memoryBytes: BigInt(Math.round(counts.memoryBytes)),
  cpuTime: durationFromMs(Math.round(counts.cpuMs)),
  cpuQuotaCores: counts.cpuQuotaMsPerSecond / MS_PER_SECOND_OF_CORE,
  template: counts.template,
});

export function usageFromWire(answer: GetUsageResponse): Omit<UsageSnapshot, 'requestedAt'> {
  const ages = answer.coordinators.map(({ age }) => (age ? durationMs(age) : 0));
  const groups = answer.groups.map(({ group, running, queued, claimsAhead, memoryBytes }) => {
    const claims = claimsAhead.map(({ round, count }) => ({ round: Number(round), count }));
    return [group, { running, queued, claimsAhead: claims, memoryBytes: Number(memoryBytes) }] as const;
  });
  return {
    answeredBy: `${answer.resourceManagerId}@${answer.resourceManagerIncarnation}`,
    knownRound: Number(answer.knownRound),
    groups: new Map(groups),
    cpu: new Map(answer.cpu.map(({ group, used }) => [group, used ? durationMs(used) : 0])),
    oldestDataAgeMs: Math.max(0, ...ages),
    coordinatorCount: answer.coordinators.length,
  };
}
