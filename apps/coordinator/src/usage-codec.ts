import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import type { GetUsageResponse, GroupCountsSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { GroupCounts, UsageSnapshot } from '@tutti/resource-groups';

export const countsToWire = (counts: GroupCounts): MessageInitShape<typeof GroupCountsSchema> => ({
  ...counts,
  claimRound: BigInt(counts.claimRound),
});

export function usageFromWire(answer: GetUsageResponse): Omit<UsageSnapshot, 'requestedAt'> {
  const ages = answer.coordinators.map(({ age }) => (age ? durationMs(age) : 0));
  const groups = answer.groups.map(({ group, running, queued, claimsAhead }) => {
    const claims = claimsAhead.map(({ round, count }) => ({ round: Number(round), count }));
    return [group, { running, queued, claimsAhead: claims }] as const;
  });
  return {
    answeredBy: `${answer.resourceManagerId}@${answer.resourceManagerIncarnation}`,
    knownRound: Number(answer.knownRound),
    groups: new Map(groups),
    oldestDataAgeMs: Math.max(0, ...ages),
    coordinatorCount: answer.coordinators.length,
  };
}
