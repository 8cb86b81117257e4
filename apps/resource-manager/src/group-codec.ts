// Reads what coordinators and other resource managers report of groups, and writes what the cluster makes of it.
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import {
  type GroupCpu,
  type GroupCpuSchema,
  GroupState,
  type GroupCounts as WireCounts,
  type GetUsageResponseSchema,
  type ResourceGroupSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { wireDuration } from '@tutti/discovery';
import type { CpuLevel, GroupCounts, UsageAnswer } from '@tutti/resource-groups';
import type { ListedGroup } from './core/group-list.js';
import type { DealtView } from './dealt-view.js';

const MS_PER_SECOND = 1_000;
const NO_LIMIT = -1n;

export const countsOf = (groups: readonly WireCounts[]): GroupCounts[] =>
  groups.map(({ $typeName: _, claimRound, memoryBytes, cpuTime, cpuQuotaCores, ...counts }) => ({
    ...counts,
    claimRound: Number(claimRound),
    memoryBytes: Number(memoryBytes),
    cpuMs: cpuTime === undefined ? 0 : durationMs(cpuTime),
    cpuQuotaMsPerSecond: cpuQuotaCores * MS_PER_SECOND,
  }));

export const cpuLevelsOf = (cpu: readonly GroupCpu[]): CpuLevel[] =>
  cpu.map(({ group, used, quotaCores }) => ({
    ...{ group, usedMs: used === undefined ? 0 : durationMs(used), quotaMsPerSecond: quotaCores * MS_PER_SECOND },
  }));

/** Rounded up, so that none is nothing. */
export const cpuLevelsToWire = (levels: readonly CpuLevel[]): MessageInitShape<typeof GroupCpuSchema>[] =>
  levels.map(({ group, usedMs, quotaMsPerSecond }) => ({
    ...{ group, used: durationFromMs(Math.ceil(usedMs)), quotaCores: quotaMsPerSecond / MS_PER_SECOND },
  }));

export const usageToWire = (usage: UsageAnswer): MessageInitShape<typeof GetUsageResponseSchema> => ({
  knownRound: BigInt(usage.knownRound),
  groups: [...usage.groups].map(([group, { running, queued, memoryBytes, claimsAhead }]) => ({
    group,
    running,
    queued,
    memoryBytes: wireBytes(memoryBytes),
    claimsAhead: claimsAhead.map(({ round, count }) => ({ round: BigInt(round), count })),
  })),
  coordinators: usage.coordinators.map(({ coordinatorId, ageMs }) => ({
    nodeId: coordinatorId,
    age: wireDuration(ageMs),
  })),
  cpu: [...usage.cpu].map(([group, usedMs]) => ({ group, used: wireDuration(usedMs) })),
});

export function listedToWire(listed: ListedGroup, dealt: DealtView): MessageInitShape<typeof ResourceGroupSchema> {
  const { spec, state, softMemoryLimitBytes, cpuUsedMs } = listed;
  return {
    group: listed.group,
    running: listed.running,
    queued: listed.queued,
    hardConcurrencyLimit: listed.hardConcurrencyLimit,
    softConcurrencyLimit: listed.softConcurrencyLimit,
    maxQueued: listed.maxQueued,
    coordinators: listed.coordinators.map(({ coordinatorId, running, queued, memoryBytes, ageMs }) => ({
      ...{ nodeId: coordinatorId, running, queued, memoryBytes: wireBytes(memoryBytes) },
      ...(ageMs !== undefined && { age: wireDuration(ageMs) }),
    })),
    state: state === undefined ? GroupState.UNSPECIFIED : GroupState[state],
    memoryBytes: wireBytes(listed.memoryBytes),
    softMemoryLimitBytes: softMemoryLimitBytes === undefined ? NO_LIMIT : wireBytes(softMemoryLimitBytes),
    ...(cpuUsedMs !== undefined && { cpuUsed: wireDuration(cpuUsedMs) }),
    ...(spec?.softCpuLimitMs !== undefined && { softCpuLimit: wireDuration(spec.softCpuLimitMs) }),
    ...(spec?.hardCpuLimitMs !== undefined && { hardCpuLimit: wireDuration(spec.hardCpuLimitMs) }),
    schedulingPolicy: spec?.schedulingPolicy ?? '',
    schedulingWeight: spec?.schedulingWeight ?? 0,
    template: listed.template,
    guarantee: spec?.guarantee ?? 0,
    admissionMode: dealt.admissionMode,
    ...(dealt.owner && { owner: dealt.owner.id, ownerEpoch: BigInt(dealt.owner.epoch) }),
    ...(dealt.held !== undefined && { held: dealt.held }),
    overAdmission: dealt.overAdmission,
  };
}

const wireBytes = (bytes: number): bigint => BigInt(Math.round(bytes));
