import type { NamePattern } from './name-pattern.js';

/** How the subgroups of a group, or the queries of a leaf, take turns. Meanings are in turn-order.ts. */
export type SchedulingPolicy = 'fair' | 'weighted' | 'weighted_fair' | 'query_priority';

/** An amount of memory, or a share of the memory of all active workers. */
export type MemoryLimit =
  { readonly kind: 'bytes'; readonly bytes: number } | { readonly kind: 'percent'; readonly percent: number };

/** What one query of a group may use. What is left out is not limited. */
export interface PerQueryLimits {
  readonly executionTimeLimitMs?: number;
  readonly totalMemoryLimitBytes?: number;
  readonly cpuTimeLimitMs?: number;
}

/**
 * One group of the configuration file. Counts include everything below the group, and the whole cluster. Names are
 * Presto's but for the last five, which are our own.
 */
export interface GroupSpec {
  /** As in the file: may hold variables, for example "bi-${USER}". */
  readonly name: string;
  /** The names from the root to here, as in the file, joined as groupPath does it. */
  readonly template: string;
  /** Whether its own name or one above it has variables. */
  readonly isDynamic: boolean;
  /** Nothing starts while the running queries hold more than this. Undefined: no limit. */
  readonly softMemoryLimit: MemoryLimit | undefined;
  /** Below it the policy `weighted` of the parent prefers the group; what waits above it is no reason for more workers. */
  readonly softConcurrencyLimit: number;
  /** How many queries of the group may run at once in the whole cluster. */
  readonly hardConcurrencyLimit: number;
  /** How many queries of the group may wait, besides those that are about to start. */
  readonly maxQueued: number;
  readonly schedulingPolicy: SchedulingPolicy;
  /** Its weight among its siblings. */
  readonly schedulingWeight: number;
  /** From this use of CPU on fewer queries run at once, the fewer the nearer it is to hardCpuLimitMs. */
  readonly softCpuLimitMs: number | undefined;
  /** From this use of CPU on nothing starts. */
  readonly hardCpuLimitMs: number | undefined;
  /** CPU time that the group gets back, in milliseconds per second; 0 without CPU limits. */
  readonly cpuQuotaMsPerSecond: number;
  readonly perQueryLimits: PerQueryLimits;
  /** A query starts only while the running ones times this are at most the active workers; 0 means no limit. */
  readonly workersPerQueryLimit: number;
  /** Presto's switch for a metrics bean. Metrics of all groups are always there, so it changes nothing. */
  readonly jmxExport: boolean;
  /** While so many of its queries run or fewer, it goes before siblings that have their guarantee, whatever the policy. */
  readonly guarantee: number;
  /** The priority of a query is kept within these. */
  readonly queryPriority: { readonly min: number; readonly max: number };
  /** A query that waited this long in the group ends. Undefined: it may wait for ever. */
  readonly queueTimeoutMs: number | undefined;
  /** How the limits of a root group and everything below it are kept. */
  readonly admissionMode: AdmissionMode;
  /** How many groups may exist at once on one coordinator by this name, when it has variables. */
  readonly maxGroups: number;
  /** In the order of the file. Queries go to groups without subgroups only. */
  readonly subGroups: readonly GroupSpec[];
}

/**
 * How the limits of a tree of groups are kept. leased: never exceeded; an owner deals slots to coordinators, and who holds
 * one starts without asking. gated: each start is decided on what all coordinators report, asked for after the query came.
 * presto: Presto's formula on what was last reported, as a comparison: bursts exceed the limit.
 */
export const ADMISSION_MODES = ['leased', 'gated', 'presto'] as const;
export type AdmissionMode = (typeof ADMISSION_MODES)[number];

/** What a selector may ask of a query's estimates; both ends belong to the range. */
export interface EstimateRanges {
  readonly executionTimeMs?: EstimateRange;
  readonly cpuTimeMs?: EstimateRange;
  readonly peakMemoryBytes?: EstimateRange;
}

export interface EstimateRange {
  readonly min?: number;
  readonly max?: number;
}

/** Kinds of statements, as selectors name them. */
export const QUERY_TYPES = [
  'DATA_DEFINITION',
  'DELETE',
  'DESCRIBE',
  'EXPLAIN',
  'ANALYZE',
  'INSERT',
  'SELECT',
  'CONTROL',
  'UPDATE',
  'MERGE',
  'CALL_DISTRIBUTED_PROCEDURE',
] as const;
export type QueryType = (typeof QUERY_TYPES)[number];

/** Sends the queries that match all of it to a group. What is left out matches everything. */
export interface Selector {
  readonly user?: NamePattern;
  readonly source?: NamePattern;
  readonly principal?: NamePattern;
  readonly clientInfo?: NamePattern;
  /** All of them must be among the query's. */
  readonly clientTags?: readonly string[];
  readonly queryType?: QueryType;
  /** Compared without case; matches a query without schema too, as in Presto. */
  readonly schema?: string;
  readonly selectorResourceEstimate?: EstimateRanges;
  /** The group, as in the file, for example "global.${USER}". Queries that are sent to one with subgroups fail. */
  readonly group: string;
  /** The specs from the root to the group. */
  readonly specs: readonly GroupSpec[];
}

/** Who may run how much. The file is Presto's: https://prestodb.io/docs/current/admin/resource-groups.html */
export interface GroupConfig {
  readonly rootGroups: readonly GroupSpec[];
  /** The first that matches decides. */
  readonly selectors: readonly Selector[];
}

/** A leaf group that a query goes to: what a selector makes of the query. */
export interface GroupTarget {
  /** Its path, as groupPath makes it. */
  readonly path: string;
  /** The names from the root to the leaf, variables filled in. */
  readonly names: readonly string[];
  /** Their specs, from the root to the leaf. */
  readonly specs: readonly GroupSpec[];
}

/** A group with defaults for everything but its name and limits. `template` must be given below the root. */
export function groupSpec(
  spec: Pick<GroupSpec, 'name' | 'hardConcurrencyLimit' | 'maxQueued'> & Partial<GroupSpec>,
): GroupSpec {
  return {
    template: spec.name,
    isDynamic: spec.name.includes('${'),
    softMemoryLimit: undefined,
    softConcurrencyLimit: spec.hardConcurrencyLimit,
    schedulingPolicy: 'fair',
    schedulingWeight: 1,
    softCpuLimitMs: undefined,
    hardCpuLimitMs: undefined,
    cpuQuotaMsPerSecond: 0,
    perQueryLimits: {},
    workersPerQueryLimit: 0,
    jmxExport: false,
    guarantee: 0,
    queryPriority: { min: 1, max: 1_000_000_000 },
    queueTimeoutMs: undefined,
    admissionMode: 'leased',
    maxGroups: 1_000,
    subGroups: [],
    ...spec,
  };
}

const global = groupSpec({ name: 'global', hardConcurrencyLimit: 100, maxQueued: 1000 });

/** What holds when no file is given: one group for everybody. */
export const defaultGroupConfig: GroupConfig = {
  rootGroups: [global],
  selectors: [{ group: 'global', specs: [global] }],
};
