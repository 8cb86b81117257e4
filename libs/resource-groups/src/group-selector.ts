// Finds the group of a query.
//   S1. The first selector that matches decides, even when its group cannot be made for this query: then the query fails,
//       and goes nowhere else.
//   S2. A path always means the same group: a name that comes from a variable never leads into a group that the file
//       spells otherwise.
import { groupPath } from './group-path.js';
import type { GroupConfig, GroupSpec, GroupTarget, Selector } from './group-config.js';
import { isLeaf, notLeafProblem } from './leaf-groups.js';
import { expandName, hasVariables } from './name-template.js';
import { candidatesOf } from './selector-index.js';
import { matchesSelector, type SelectionCriteria, shown } from './selector-match.js';

/** Where a query goes. `selector` is the place of the selector in the file, from 0. */
export type Selection =
  | { readonly kind: 'selected'; readonly target: GroupTarget; readonly selector: number }
  /** No selector takes the query. */
  | { readonly kind: 'none' }
  /** A selector takes it, but its group cannot be made of what the query says, or has subgroups. */
  | { readonly kind: 'invalid'; readonly selector: number; readonly message: string };

/** Longest name that a group may get from variables. */
const EXPANDED_NAME_LENGTH_MAX = 256;

/** The group of a query, by the first selector that matches. Algorithm: Presto's (reference: presto.md 3.3). */
export function selectGroup(config: GroupConfig, criteria: SelectionCriteria): Selection {
  for (const selector of candidatesOf(config, criteria)) {
    const candidate = config.selectors[selector];
    if (candidate !== undefined && matchesSelector(candidate, criteria)) {
      return targetOf(config, candidate, selector, criteria);
    }
  }
  return { kind: 'none' };
}

const NO_VALUES: ReadonlyMap<string, string> = new Map();

function targetOf(config: GroupConfig, matched: Selector, selector: number, criteria: SelectionCriteria): Selection {
  const names: string[] = [];
  const isDynamic = matched.specs.at(-1)?.isDynamic ?? false;
  const values = isDynamic ? variableValues(matched, criteria) : NO_VALUES;
  let siblings = config.rootGroups;
  for (const spec of matched.specs) {
    const made = nameFor(spec, siblings, values);
    if ('problem' in made) return { kind: 'invalid', selector, message: made.problem };
    names.push(made.name);
    siblings = spec.subGroups;
  }
  const path = groupPath(names);
  const leaf = matched.specs.at(-1);
  if (leaf !== undefined && !isLeaf(leaf))
    return { kind: 'invalid', selector, message: notLeafProblem(path, matched.group, leaf) };
  return { kind: 'selected', selector, target: { path, names, specs: matched.specs } };
}

/** The values of the variables that a selector knows, for one query. */
export function variableValues(selector: Selector, criteria: SelectionCriteria): ReadonlyMap<string, string> {
  const { user, source = '', principal = '', schema = '' } = criteria;
  const fromUser = selector.user?.groups(user);
  const fromSource = selector.source?.groups(source);
  const values = new Map([
    ['USER', user],
    ['SOURCE', source],
    ['SCHEMA', schema],
    ...(fromUser ?? []),
    ...(fromSource ?? []),
  ]);
  const declared = new Set([
    ...values.keys(),
    ...(selector.user?.groupNames ?? []),
    ...(selector.source?.groupNames ?? []),
  ]);
  // The principal gives values to variables that exist, and makes none: Presto's rule.
  for (const [name, value] of selector.principal?.groups(principal) ?? []) {
    if (declared.has(name)) values.set(name, value);
  }
  return values;
}

/** S2 */
function nameFor(
  spec: GroupSpec,
  siblings: readonly GroupSpec[],
  values: ReadonlyMap<string, string>,
): { readonly name: string } | { readonly problem: string } {
  if (!hasVariables(spec.name)) return { name: spec.name };
  const expanded = expandName(spec.name, values);
  if ('unresolved' in expanded) {
    const available = [...values.keys()].join(', ');
    return {
      problem: `unresolved variable '${expanded.unresolved}' in resource group '${spec.name}', available: ${available}`,
    };
  }
  const { name } = expanded;
  if (name === '') return { problem: `the name of resource group '${spec.template}' is empty for this query` };
  if (name.length > EXPANDED_NAME_LENGTH_MAX) {
    return {
      problem: `the name of resource group '${spec.template}' is longer than ${EXPANDED_NAME_LENGTH_MAX} letters: ${shown(name)}`,
    };
  }
  const { fixed, templates } = siblingsOf(siblings);
  const other = fixed.get(name) ?? templates.find((sibling) => sibling !== spec && nameOf(sibling, values) === name);
  if (other === undefined) return { name };
  return { problem: `Ambiguous configuration for ${name}: both ${spec.template} and ${other.template} make this name` };
}

/** A variable without a value makes no name. */
function nameOf(template: GroupSpec, values: ReadonlyMap<string, string>): string | undefined {
  const expanded = expandName(template.name, values);
  return 'name' in expanded ? expanded.name : undefined;
}

interface Siblings {
  readonly fixed: ReadonlyMap<string, GroupSpec>;
  readonly templates: readonly GroupSpec[];
}

const siblingsByList = new WeakMap<readonly GroupSpec[], Siblings>();

/** The groups of one list by their names, made at the first use of the list. */
function siblingsOf(groups: readonly GroupSpec[]): Siblings {
  let siblings = siblingsByList.get(groups);
  if (siblings === undefined) {
    const fixed = groups.filter(({ name }) => !hasVariables(name)).map((group) => [group.name, group] as const);
    siblings = { fixed: new Map(fixed), templates: groups.filter(({ name }) => hasVariables(name)) };
    siblingsByList.set(groups, siblings);
  }
  return siblings;
}
