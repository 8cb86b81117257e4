import { lineageOf, type GroupConfig, groupSpec, type GroupSpec, type GroupTarget } from '@tutti/resource-groups';
import type { Mode } from '../world/planned.js';

const targets = new WeakMap<GroupConfig, Map<string, GroupTarget | undefined>>();

/**
 * The group with this path: of each level the one with that name, or else one whose variables could make it. Undefined
 * when the configuration has none. Names in these worlds have no dots.
 */
export function targetAt(config: GroupConfig, path: string): GroupTarget | undefined {
  let known = targets.get(config);
  if (known === undefined) targets.set(config, (known = new Map()));
  if (!known.has(path)) known.set(path, findTarget(config, path));
  return known.get(path);
}

function findTarget({ rootGroups }: GroupConfig, path: string): GroupTarget | undefined {
  const names = path.split('.');
  const specs: GroupSpec[] = [];
  let level = rootGroups;
  for (const name of names) {
    const spec = level.find((group) => group.name === name) ?? level.find((group) => couldBe(group.name, name));
    if (spec === undefined) return undefined;
    specs.push(spec);
    level = spec.subGroups;
  }
  return { path, names, specs };
}

function couldBe(template: string, name: string): boolean {
  const [prefix = '', rest] = template.split('${');
  return rest !== undefined && name.startsWith(prefix);
}

/** The paths of all groups without subgroups. */
export const leavesOf = ({ rootGroups }: GroupConfig): string[] => rootGroups.flatMap(leavesBelow);

const leavesBelow = ({ template, subGroups }: GroupSpec): string[] =>
  subGroups.length === 0 ? [template] : subGroups.flatMap(leavesBelow);

/** What a group of a world says; the rest is as by default. */
export type SimGroup = { readonly name: string; readonly limit: number } & Partial<
  Omit<GroupSpec, 'name' | 'template' | 'isDynamic' | 'hardConcurrencyLimit' | 'subGroups'>
> & { readonly subGroups?: readonly SimGroup[] };

const WAITING_MAX = 1_000_000;

/** A configuration with these root groups, all in one mode. */
export function configOf(mode: Mode, ...roots: readonly SimGroup[]): GroupConfig {
  const rootGroups = roots.map((root) => specOf(root, mode, undefined));
  return { rootGroups, selectors: rootGroups.map((spec) => ({ group: spec.template, specs: [spec] })) };
}

function specOf({ name, limit, subGroups = [], ...more }: SimGroup, mode: Mode, above: string | undefined): GroupSpec {
  const template = above === undefined ? name : `${above}.${name}`;
  return groupSpec({
    ...{ name, template, isDynamic: template.includes('${'), maxQueued: WAITING_MAX, admissionMode: mode },
    ...more,
    hardConcurrencyLimit: Math.max(1, Math.ceil(limit)),
    subGroups: subGroups.map((spec) => specOf(spec, mode, template)),
  });
}

/** One root with inner groups that promise more than it has. */
export function tree(mode: Mode, limit: number, ...others: readonly SimGroup[]): GroupConfig {
  const people: SimGroup = {
    ...{ name: 'people', limit: limit * 0.6 },
    subGroups: [
      { name: 'adhoc', limit: limit * 0.4 },
      { name: 'dashboard', limit: limit * 0.5 },
    ],
  };
  return configOf(mode, { name: 'global', limit, subGroups: [{ name: 'etl', limit: limit * 0.7 }, people] }, ...others);
}

/** A group and those above it, from the root on. */
export const lineage = (path: string): string[] => [...lineageOf(path)].reverse();
