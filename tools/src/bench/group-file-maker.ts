// A file of resource groups as a large company might have it: one root, departments, teams, and leaves for programs and
// users, under all four policies.
import {
  groupPath,
  type GroupConfig,
  type GroupSpec,
  type GroupTarget,
  type SchedulingPolicy,
} from '@tutti/resource-groups';

export interface GroupFileShape {
  readonly departments: number;
  readonly teamsEach: number;
  readonly leavesEach: number;
  /** Queries that may run at once in the whole cluster. */
  readonly runningMax: number;
}

/** 1 + 9 + 90 + 900 groups in the file; 972 leaves, since every fifth team has one group that is made for each user. */
export const THOUSAND_GROUPS: GroupFileShape = { departments: 9, teamsEach: 10, leavesEach: 10, runningMax: 1_000 };

const USERS_PER_TEMPLATE = 5;
const TEAMS_PER_TEMPLATE = 5;
const QUEUE_MAX = 1_000_000;
const DEPARTMENT_POLICIES: readonly SchedulingPolicy[] = ['weighted_fair', 'fair', 'weighted', 'query_priority'];
const TEAM_POLICIES: readonly SchedulingPolicy[] = ['fair', 'weighted', 'weighted_fair'];

/** Weights are given where they count, and refused elsewhere. */
const weighted = (parent: SchedulingPolicy, weight: number) =>
  parent.startsWith('weighted') ? { schedulingWeight: weight } : {};

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** The text of the file. Two editions differ in the limit of every leaf and in the policy of one team. */
export function groupFileText(shape: GroupFileShape, edition: 0 | 1 = 0): string {
  const { departments, teamsEach, leavesEach, runningMax } = shape;
  const leafMax = Math.max(2, Math.ceil(runningMax / 100));

  const leaf = (index: number, team: number, parent: SchedulingPolicy) => ({
    name: index === 0 && team % TEAMS_PER_TEMPLATE === 0 ? '${USER}' : `program-${index}`,
    hardConcurrencyLimit: leafMax + edition,
    softMemoryLimit: '50%',
    maxQueued: QUEUE_MAX,
    ...weighted(parent, 1 + index),
    ...(parent !== 'query_priority' && index === 1 && { schedulingPolicy: 'weighted' }),
    ...(index === 2 && { queueTimeout: '12h' }),
  });
  const team = (index: number, parent: SchedulingPolicy) => {
    const changing: SchedulingPolicy = edition === 0 ? 'weighted' : 'weighted_fair';
    const own = index === teamsEach - 1 ? changing : TEAM_POLICIES[index % TEAM_POLICIES.length];
    // Everything below query_priority has it too.
    const policy = parent === 'query_priority' ? parent : (own ?? 'fair');
    return {
      name: `team-${index}`,
      hardConcurrencyLimit: leafMax * 4,
      softConcurrencyLimit: leafMax * 2,
      softMemoryLimit: '60%',
      maxQueued: QUEUE_MAX,
      ...weighted(parent, 1 + (index % 3)),
      schedulingPolicy: policy,
      subGroups: numbers(leavesEach).map((number) => leaf(number, index, policy)),
    };
  };
  const department = (index: number) => {
    const policy = DEPARTMENT_POLICIES[index % DEPARTMENT_POLICIES.length] ?? 'fair';
    return {
      name: `department-${index}`,
      hardConcurrencyLimit: Math.ceil(runningMax / 4),
      softMemoryLimit: '80%',
      softCpuLimit: '50h',
      hardCpuLimit: '100h',
      maxQueued: QUEUE_MAX,
      schedulingWeight: 1 + index,
      guarantee: index,
      schedulingPolicy: policy,
      subGroups: numbers(teamsEach).map((number) => team(number, policy)),
    };
  };
  const root = {
    name: 'global',
    admissionMode: 'gated',
    hardConcurrencyLimit: runningMax,
    softMemoryLimit: '90%',
    maxQueued: QUEUE_MAX,
    schedulingPolicy: 'weighted_fair',
    subGroups: numbers(departments).map(department),
  };
  const selectors = root.subGroups.flatMap((first) =>
    first.subGroups.flatMap((second) =>
      second.subGroups.map((third) => ({
        source: `${first.name}/${second.name}/${third.name.startsWith('$') ? '.*' : third.name}`,
        group: `global.${first.name}.${second.name}.${third.name}`,
      })),
    ),
  );
  return JSON.stringify({ cpuQuotaPeriod: '1h', rootGroups: [root], selectors }, undefined, 2);
}

/** All leaves that the queries go to, the users' groups filled in. */
export function leafTargets(config: GroupConfig): GroupTarget[] {
  const targets: GroupTarget[] = [];
  const walk = (spec: GroupSpec, names: readonly string[], specs: readonly GroupSpec[]): void => {
    for (const subGroup of spec.subGroups) walk(subGroup, [...names, subGroup.name], [...specs, subGroup]);
    if (spec.subGroups.length > 0) return;
    const users = spec.isDynamic ? numbers(USERS_PER_TEMPLATE).map((user) => `user-${user}`) : [spec.name];
    for (const last of users) {
      const path = [...names.slice(0, -1), last];
      targets.push({ path: groupPath(path), names: path, specs });
    }
  };
  for (const root of config.rootGroups) walk(root, [root.name], [root]);
  return targets;
}
