// Reads the groups of a resource-groups file.
//   D1. Sibling names differ and hold no '.', so a path names one group.
//   D2. What is decided above holds below, written into each spec: query_priority, bounds of priorities.
import { type FieldReader, INT_MAX, optional } from './field-reader.js';
import {
  ADMISSION_MODES,
  type AdmissionMode,
  type GroupSpec,
  groupSpec,
  type SchedulingPolicy,
} from './group-config.js';
import { childPath } from './group-path.js';
import type { JsonField, JsonObject, JsonSource } from './json-source.js';
import type { LimitDecoder } from './limit-decoder.js';
import { hasVariables, variableProblem } from './name-template.js';

const GROUP_PROPERTIES = [
  ...['name', 'softMemoryLimit', 'hardConcurrencyLimit', 'softConcurrencyLimit', 'maxQueued', 'maxRunning'],
  ...['schedulingPolicy', 'schedulingWeight', 'subGroups', 'softCpuLimit', 'hardCpuLimit', 'perQueryLimits'],
  ...['workersPerQueryLimit', 'workerPerQueryLimit', 'jmxExport'],
  ...['guarantee', 'queryPriority', 'queueTimeout', 'admissionMode', 'maxGroups'],
] as const;
type GroupProperty = (typeof GROUP_PROPERTIES)[number];

const POLICIES: readonly SchedulingPolicy[] = ['fair', 'weighted', 'weighted_fair', 'query_priority'];
const NAME_LENGTH_MAX = 256;
const GROUPS_MAX = 10_000;
const DEPTH_MAX = 16;

/** What the groups above say of a group. */
interface Above {
  readonly template: string | undefined;
  readonly isDynamic: boolean;
  readonly depth: number;
  /** The name of the group above that orders everything below it by priority. */
  readonly priorityGroup: string | undefined;
  readonly queryPriority: GroupSpec['queryPriority'] | undefined;
  readonly mode: AdmissionMode | undefined;
}

/** A group as read, with what its parent must look at. */
interface ReadGroup {
  readonly spec: GroupSpec;
  readonly weight: JsonField;
  readonly guarantee: JsonField;
}

export class GroupDecoder {
  /** Some group could not be read at all, so that a selector may name it rightly all the same. */
  hasUnread = false;
  /** Where each group stands. */
  readonly places = new Map<GroupSpec, JsonObject>();
  private groupCount = 0;

  constructor(
    private readonly source: JsonSource,
    private readonly read: FieldReader,
    private readonly limits: LimitDecoder,
  ) {}

  roots(field: JsonField): GroupSpec[] {
    const top = {
      template: undefined,
      isDynamic: false,
      depth: 1,
      priorityGroup: undefined,
      queryPriority: undefined,
      mode: undefined,
    };
    return this.siblings(field, top).map(({ spec }) => spec);
  }

  private siblings(field: JsonField, above: Above): ReadGroup[] {
    const items = above.depth > DEPTH_MAX ? this.tooDeep(field) : this.read.list(field, GROUPS_MAX);
    if (items === undefined) this.hasUnread = true;
    const names = new Set<string>();
    return (items ?? []).flatMap((item) => {
      if (++this.groupCount > GROUPS_MAX) {
        if (this.groupCount === GROUPS_MAX + 1) this.source.problem(item, `there may be ${GROUPS_MAX} groups`);
        this.hasUnread = true;
        return [];
      }
      const group = this.group(item, above, names);
      if (group === undefined) this.hasUnread = true;
      return group ?? [];
    });
  }

  private tooDeep(field: JsonField): undefined {
    return this.source.problem(field, `groups may be nested ${DEPTH_MAX} deep`);
  }

  private group(field: JsonField, above: Above, siblings: Set<string>): ReadGroup | undefined {
    const object = this.read.object(field, 'a name and limits', GROUP_PROPERTIES);
    if (object === undefined) return undefined;
    const at = (property: GroupProperty): JsonField => object.get(property);
    const name = this.name(at('name'), above, siblings);
    const template = childPath(above.template, name ?? '');
    const ownPolicy = this.policy(at('schedulingPolicy'), above);
    const schedulingPolicy = above.priorityGroup === undefined ? (ownPolicy ?? 'fair') : 'query_priority';
    const hardConcurrencyLimit = this.limits.hardConcurrencyLimit(object);
    const queryPriority =
      optional(at('queryPriority'), (limit) => this.limits.priorities(limit)) ?? above.queryPriority;
    const isTemplate = name !== undefined && hasVariables(name);
    const mode = this.mode(at('admissionMode'), above);
    const below: Above = {
      template,
      isDynamic: above.isDynamic || isTemplate,
      depth: above.depth + 1,
      priorityGroup: above.priorityGroup ?? (ownPolicy === 'query_priority' ? name : undefined),
      queryPriority,
      mode,
    };
    const subGroups = this.subGroups(at('subGroups'), below);
    this.checkWeights(at('subGroups'), name, ownPolicy, subGroups);
    this.checkGuarantees(name, hardConcurrencyLimit, subGroups);
    const spec = groupSpec({
      name: name ?? '',
      template,
      isDynamic: below.isDynamic,
      hardConcurrencyLimit,
      ...defined('softConcurrencyLimit', this.limits.atMost(at('softConcurrencyLimit'), hardConcurrencyLimit)),
      maxQueued: this.read.wholeNumber(at('maxQueued')) ?? 0,
      softMemoryLimit: optional(at('softMemoryLimit'), (limit) => this.read.memoryLimit(limit)),
      schedulingPolicy,
      schedulingWeight: this.limits.number(at('schedulingWeight'), 1) ?? 1,
      ...this.limits.cpu(object, String(at('name').scalar ?? '')),
      perQueryLimits: optional(at('perQueryLimits'), (limits) => this.limits.perQuery(limits)) ?? {},
      workersPerQueryLimit: this.limits.withAlias(object, 'workersPerQueryLimit', 'workerPerQueryLimit') ?? 0,
      jmxExport: optional(at('jmxExport'), (flag) => this.read.boolean(flag)) ?? false,
      guarantee: this.limits.atMost(at('guarantee'), hardConcurrencyLimit) ?? 0,
      ...defined('queryPriority', queryPriority),
      queueTimeoutMs: optional(at('queueTimeout'), (timeout) => this.limits.positiveDurationMs(timeout)),
      ...defined('admissionMode', mode),
      ...defined('maxGroups', this.maxGroups(at('maxGroups'), isTemplate, above)),
      subGroups: subGroups.map((group) => group.spec),
    });
    this.places.set(spec, object);
    return name === undefined ? undefined : { spec, weight: at('schedulingWeight'), guarantee: at('guarantee') };
  }

  /** D1 */
  private name(field: JsonField, above: Above, siblings: Set<string>): string | undefined {
    const name = this.read.text(field, NAME_LENGTH_MAX);
    if (name === undefined) return undefined;
    const variables = variableProblem(name);
    const wrong = variables === undefined ? undefined : `: ${variables}`;
    const dot = name.includes('.') ? " contains a '.'" : wrong;
    if (dot !== undefined) return this.source.problem(field, `Invalid resource group name. '${name}'${dot}`);
    if (siblings.has(name)) {
      const kind = above.depth === 1 ? 'root group' : 'sub group';
      return this.source.problem(field, `Duplicated ${kind}: ${name}; give each group of the list another name`);
    }
    siblings.add(name);
    return name;
  }

  /** D2: also checks that nothing below a group with query_priority asks for something else. */
  private policy(field: JsonField, above: Above): SchedulingPolicy | undefined {
    const policy = optional(field, (word) => this.read.choice(word, POLICIES));
    if (policy !== undefined && policy !== 'query_priority' && above.priorityGroup !== undefined) {
      const problem = `must be query_priority or left out, as '${above.priorityGroup}' above is query_priority, was ${policy}`;
      return this.source.problem(field, problem);
    }
    return policy;
  }

  private subGroups(field: JsonField, below: Above): ReadGroup[] {
    return field.isEmptyList ? [] : (optional(field, (list) => this.siblings(list, below)) ?? []);
  }

  /** Presto's rules: they hold for policies that are written down. */
  private checkWeights(
    field: JsonField,
    name: string | undefined,
    policy: SchedulingPolicy | undefined,
    children: readonly ReadGroup[],
  ): void {
    const weighted = children.filter(({ weight }) => weight.node !== undefined);
    const [first] = weighted;
    if (first === undefined || policy === undefined) return;
    if (policy === 'fair' || policy === 'query_priority') {
      const rule = `Must use 'weighted' or 'weighted_fair' scheduling policy if specifying scheduling weight for '${name ?? ''}'`;
      this.source.problem(first.weight, `${rule}; its policy is ${policy}`);
    } else if (weighted.length < children.length) {
      const without = children.find(({ weight }) => weight.node === undefined)?.spec.name ?? '';
      const rule = `Must specify scheduling weight for all sub-groups of '${name ?? ''}' or none of them`;
      this.source.problem(field, `${rule}; '${without}' has none`);
    }
  }

  private checkGuarantees(name: string | undefined, hardLimit: number, children: readonly ReadGroup[]): void {
    const sum = children.reduce((total, { spec }) => total + spec.guarantee, 0);
    const last = children.findLast(({ guarantee }) => guarantee.node !== undefined);
    if (last === undefined || sum <= hardLimit) return;
    const problem = `the guarantees of the sub-groups of '${name ?? ''}' are ${sum} together, more than its hardConcurrencyLimit of ${hardLimit}`;
    this.source.problem(last.guarantee, problem);
  }

  /** Names without variables are as many as the names above them allow. */
  private maxGroups(field: JsonField, isTemplate: boolean, above: Above): number | undefined {
    if (field.node !== undefined && !isTemplate) {
      return this.source.problem(field, 'bounds groups whose own name has a variable such as ${USER}; remove it');
    }
    return isTemplate || !above.isDynamic ? this.limits.number(field, 1) : INT_MAX;
  }

  /** The mode of a root group holds for all below it. */
  private mode(field: JsonField, above: Above): AdmissionMode | undefined {
    if (above.depth === 1 || field.node === undefined)
      return optional(field, (word) => this.read.choice(word, ADMISSION_MODES)) ?? above.mode;
    return this.source.problem(field, 'may be given to root groups only, and holds for all below');
  }
}

/** A property for an object literal, left out when there is no value. */
const defined = <K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> =>
  value === undefined ? {} : ({ [name]: value } as Record<K, V>);
