// What is right in a file of resource groups and will hardly do what was meant.
//   GD1. Each warning is true of the file whatever queries come, and one cause is one warning.
//   GD2. Only for a file without problems: a wrong value makes its neighbours look doubtful.
import type { GroupSpec, Selector } from './group-config.js';
import type { JsonField, JsonObject, JsonSource } from './json-source.js';
import { isLeaf } from './leaf-groups.js';

/** Where the groups and selectors stand in the text. */
export interface ConfigPlaces {
  readonly groups: ReadonlyMap<GroupSpec, JsonObject>;
  /** In the order of the selectors. */
  readonly selectors: readonly JsonField[];
}

export class GroupDoubts {
  constructor(
    private readonly source: JsonSource,
    private readonly places: ConfigPlaces,
  ) {}

  /** Notes a warning for all that is doubtful. */
  tell(rootGroups: readonly GroupSpec[], selectors: readonly Selector[]): void {
    for (const root of rootGroups) {
      this.rootGroup(root);
      this.group(root);
    }
    this.afterOneThatTakesAll(selectors);
    this.notNamed(rootGroups, new Set(selectors.map(({ specs }) => specs.at(-1))));
  }

  /** Root groups share no limit, so they take no turns. */
  private rootGroup(root: GroupSpec): void {
    for (const property of ['schedulingWeight', 'guarantee'] as const) {
      const field = this.at(root, property);
      if (field !== undefined && root[property] > 0) {
        this.source.warning(field, 'has no effect: a root group shares no limit with others');
      }
    }
  }

  private group(spec: GroupSpec): void {
    const { softMemoryLimit: memory, subGroups } = spec;
    if (memory?.kind === 'percent' && memory.percent > 100) {
      this.warn(spec, 'softMemoryLimit', 'limits nothing: it is more than all memory of the workers');
    }
    this.weights(spec);
    for (const child of subGroups) {
      this.beyondParent(child, spec, 'hardConcurrencyLimit', 'run');
      this.beyondParent(child, spec, 'maxQueued', 'wait');
      this.group(child);
    }
  }

  /** One warning for all siblings: it is the group above that lacks something. */
  private weights({ name, schedulingPolicy: policy, subGroups }: GroupSpec): void {
    if (policy === 'weighted' || policy === 'weighted_fair') return;
    const weighted = subGroups.find((child) => this.at(child, 'schedulingWeight') !== undefined);
    if (weighted === undefined) return;
    const why = policy === 'fair' ? 'fair, the default' : 'query_priority, like that of a group above';
    const help = policy === 'fair' ? '; weights count under weighted and weighted_fair' : '';
    this.warn(weighted, 'schedulingWeight', `has no effect: the schedulingPolicy of '${name}' is ${why}${help}`);
  }

  private beyondParent(
    spec: GroupSpec,
    parent: GroupSpec,
    property: 'hardConcurrencyLimit' | 'maxQueued',
    verb: string,
  ): void {
    if (spec[property] <= parent[property]) return;
    const doubt = `is never reached: no more than ${parent[property]} may ${verb} in '${parent.name}' above`;
    this.warn(spec, property, doubt);
  }

  private afterOneThatTakesAll(selectors: readonly Selector[]): void {
    const last = selectors.findIndex(takesAll);
    const field = this.places.selectors[last + 1];
    const left = selectors.length - last - 2;
    if (last < 0 || field === undefined) return;
    const others = left > 0 ? `, nor are the ${left} after it` : '';
    this.source.warning(field, `is never asked${others}: selectors[${last}] takes every query`);
  }

  /** Told of the highest group below which none is named. Below one with subgroups that is named, that is told already. */
  private notNamed(groups: readonly GroupSpec[], named: ReadonlySet<GroupSpec | undefined>): void {
    for (const spec of groups) {
      if (named.has(spec)) continue;
      if (isAnyNamed(spec, named)) this.notNamed(spec.subGroups, named);
      else this.warn(spec, 'name', `no selector sends queries ${isLeaf(spec) ? 'to it' : 'to a group below it'}`);
    }
  }

  private warn(spec: GroupSpec, property: keyof GroupSpec, text: string): void {
    // The old name of a limit may stand for it.
    const field = this.at(spec, property) ?? this.at(spec, 'maxRunning');
    if (field !== undefined) this.source.warning(field, text);
  }

  private at(spec: GroupSpec, property: keyof GroupSpec | 'maxRunning'): JsonField | undefined {
    const field = this.places.groups.get(spec)?.get(property);
    return field?.node === undefined ? undefined : field;
  }
}

const isAnyNamed = ({ subGroups }: GroupSpec, named: ReadonlySet<GroupSpec | undefined>): boolean =>
  subGroups.some((child) => named.has(child) || isAnyNamed(child, named));

/** ".*" takes no line break, but nobody means users and programs with one in their names. */
function takesAll({ group: _group, specs: _specs, clientTags = [], user, source, ...others }: Selector): boolean {
  const isAny = [user, source].every((pattern) => pattern === undefined || pattern.text === '.*');
  return isAny && clientTags.length === 0 && Object.keys(others).length === 0;
}
