// Resource groups as the commands show them: plain values with units in their names. Wire types stop here.
import { type Duration, durationMs, timestampDate } from '@bufbuild/protobuf/wkt';
import {
  GroupState,
  type NodeGroupConfig,
  type ResourceGroup,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';

/** One resource group, summed over the cluster. This is also what `-o json` prints. */
export interface GroupView {
  readonly group: string;
  /** Its path as the file spells it, for example "global.${USER}". */
  readonly template: string;
  readonly state: string;
  readonly running: number;
  readonly softConcurrencyLimit: number;
  readonly hardConcurrencyLimit: number;
  readonly queued: number;
  readonly maxQueued: number;
  readonly memoryBytes: number;
  /** Null: it has none. */
  readonly softMemoryLimitBytes: number | null;
  /** CPU time that it has used and not got back yet; null without a CPU limit. */
  readonly cpuUsedMs: number | null;
  readonly softCpuLimitMs: number | null;
  readonly hardCpuLimitMs: number | null;
  readonly schedulingPolicy: string;
  readonly schedulingWeight: number;
  readonly guarantee: number;
  /** How its limit is kept over all coordinators: "leased", "gated" or "presto". */
  readonly admissionMode: string;
  /** The resource manager that deals its slots; null when none is known, or none is needed. */
  readonly owner: string | null;
  readonly ownerEpoch: number | null;
  /** Slots that all coordinators hold together; null when the asked resource manager is not the owner. */
  readonly held: number | null;
  /** So many more than the limit run, as workers count them. */
  readonly overAdmission: number;
  readonly coordinators: readonly {
    readonly coordinator: string;
    readonly running: number;
    readonly queued: number;
    readonly memoryBytes: number;
    readonly ageMs: number;
  }[];
}

export function decodeGroup(group: ResourceGroup): GroupView {
  return {
    group: group.group,
    template: group.template || group.group,
    state: GroupState[group.state] ?? String(group.state),
    running: group.running,
    softConcurrencyLimit: group.softConcurrencyLimit,
    hardConcurrencyLimit: group.hardConcurrencyLimit,
    queued: group.queued,
    maxQueued: group.maxQueued,
    memoryBytes: Number(group.memoryBytes),
    softMemoryLimitBytes: group.softMemoryLimitBytes < 0n ? null : Number(group.softMemoryLimitBytes),
    cpuUsedMs: msOf(group.cpuUsed),
    softCpuLimitMs: msOf(group.softCpuLimit),
    hardCpuLimitMs: msOf(group.hardCpuLimit),
    schedulingPolicy: group.schedulingPolicy,
    schedulingWeight: group.schedulingWeight,
    guarantee: group.guarantee,
    admissionMode: group.admissionMode,
    owner: group.owner || null,
    ownerEpoch: group.owner === '' ? null : Number(group.ownerEpoch),
    held: group.held ?? null,
    overAdmission: group.overAdmission,
    coordinators: group.coordinators.map((share) => ({
      coordinator: share.nodeId,
      running: share.running,
      queued: share.queued,
      memoryBytes: Number(share.memoryBytes),
      ageMs: msOf(share.age) ?? 0,
    })),
  };
}

const msOf = (duration: Duration | undefined): number | null => (duration === undefined ? null : durationMs(duration));

/** The resource groups that one node keeps to. */
export interface NodeGroupsView {
  readonly nodeId: string;
  /** Of the last good file; empty when the node has not told. */
  readonly version: string;
  readonly loadTime: string | null;
  /** What is wrong with its file as it is now. */
  readonly problems: readonly string[];
}

export const decodeNodeGroups = ({ nodeId, status }: NodeGroupConfig): NodeGroupsView => ({
  nodeId,
  version: status?.version ?? '',
  loadTime: status?.loadTime === undefined ? null : timestampDate(status.loadTime).toISOString(),
  problems: status?.problems ?? [],
});
