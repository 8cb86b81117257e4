// Reads the selectors of a resource-groups file.
//   D4. Every selector names a group that exists, so no query can be sent to nowhere. One with subgroups is a warning: as
//       in Presto, the queries of such a selector fail.
//   D5. Every variable of the group is one that the selector knows; it may still be without a value for some query.
import { nearestName } from '@tutti/base';
import { type FieldReader, meant, optional } from './field-reader.js';
import {
  type EstimateRange,
  type EstimateRanges,
  type GroupSpec,
  QUERY_TYPES,
  type QueryType,
  type Selector,
} from './group-config.js';
import type { JsonField, JsonSource } from './json-source.js';
import { isLeaf, notLeafProblem } from './leaf-groups.js';
import { compileNamePattern, type NamePattern } from './name-pattern.js';
import { BUILT_IN_VARIABLES, variablesOf } from './name-template.js';

const SELECTOR_PROPERTIES = [
  ...['user', 'source', 'principal', 'clientInfo', 'clientTags', 'queryType', 'schema', 'selectorResourceEstimate'],
  'group',
] as const;

const ESTIMATES = ['executionTime', 'cpuTime', 'peakMemory'];
const SELECTORS_MAX = 10_000;
const PATTERN_LENGTH_MAX = 4_000;
const TEXT_LENGTH_MAX = 256;
const PATH_LENGTH_MAX = 5_000;
const TAGS_MAX = 100;
/** Looking for the group that was meant costs more than all else; many wrong selectors have one cause. */
const NEAREST_GROUPS_MAX = 1_000;
const NEAREST_MAX = 10;

/** The groups that selectors may name. */
export interface KnownGroups {
  /** From the path as selectors write it, to the specs from the root to the group. */
  readonly lineages: ReadonlyMap<string, readonly GroupSpec[]>;
  /** Whether these are all; else a selector may be right though its group is not here. */
  readonly areAll: boolean;
}

/** The paths of all groups as selectors write them: names joined with dots, without quotation marks. */
export function lineagesOf(rootGroups: readonly GroupSpec[]): Map<string, readonly GroupSpec[]> {
  const lineages = new Map<string, readonly GroupSpec[]>();
  const add = (groups: readonly GroupSpec[], path: string, above: readonly GroupSpec[]): void => {
    for (const group of groups) {
      const lineage = [...above, group];
      lineages.set(path + group.name, lineage);
      add(group.subGroups, `${path}${group.name}.`, lineage);
    }
  };
  add(rootGroups, '', []);
  return lineages;
}

export class SelectorDecoder {
  private readonly patterns = new Map<string, NamePattern>();
  private nearestCount = 0;

  constructor(
    private readonly source: JsonSource,
    private readonly read: FieldReader,
    private readonly groups: KnownGroups,
  ) {}

  selectors(field: JsonField): Selector[] {
    return this.read.list(field, SELECTORS_MAX)?.map((item) => this.selector(item)) ?? [];
  }

  private selector(field: JsonField): Selector {
    const object = this.read.object(field, 'a group and what queries it takes', SELECTOR_PROPERTIES);
    if (object === undefined) return { group: '', specs: [] };
    const pattern = (property: string) => optional(object.get(property), (text) => this.pattern(text));
    const [user, source] = [pattern('user'), pattern('source')];
    const [principal, clientInfo] = [pattern('principal'), pattern('clientInfo')];
    const clientTags = optional(object.get('clientTags'), (tags) => this.tags(tags));
    const queryType = optional(object.get('queryType'), (type) => this.queryType(type));
    const schema = optional(object.get('schema'), (name) => this.read.text(name, TEXT_LENGTH_MAX));
    const estimates = optional(object.get('selectorResourceEstimate'), (ranges) => this.estimates(ranges));
    const group = this.read.text(object.get('group'), PATH_LENGTH_MAX) ?? '';
    const specs = group === '' ? [] : this.target(group, object.get('group'));
    if (group !== '') this.checkVariables(group, object.get('group'), [object.get('user'), object.get('source')]);
    return {
      ...(user && { user }),
      ...(source && { source }),
      ...(principal && { principal }),
      ...(clientInfo && { clientInfo }),
      ...(clientTags && { clientTags }),
      ...(queryType && { queryType }),
      ...(schema !== undefined && { schema }),
      ...(estimates && { selectorResourceEstimate: estimates }),
      ...{ group, specs },
    };
  }

  private pattern(field: JsonField): NamePattern | undefined {
    const text = field.scalar;
    if (typeof text !== 'string' || text.length > PATTERN_LENGTH_MAX) {
      const problem = `must be a regular expression of up to ${PATTERN_LENGTH_MAX} letters, was ${this.source.show(field)}`;
      return this.source.problem(field, problem);
    }
    const known = this.patterns.get(text);
    if (known !== undefined) return known;
    const compiled = compileNamePattern(text);
    if ('problem' in compiled) return this.source.problem(field, compiled.problem);
    this.patterns.set(text, compiled.ok);
    return compiled.ok;
  }

  private tags(field: JsonField): string[] | undefined {
    if (field.isEmptyList) return [];
    const tags = this.read.list(field, TAGS_MAX)?.map((tag) => this.read.text(tag, TEXT_LENGTH_MAX));
    return tags?.filter((tag) => tag !== undefined);
  }

  private queryType(field: JsonField): QueryType | undefined {
    const text = field.scalar;
    const type = QUERY_TYPES.find((known) => typeof text === 'string' && known === text.toUpperCase());
    if (type !== undefined) return type;
    const given = typeof text === 'string' ? text : this.source.show(field);
    const help = `it is one of ${QUERY_TYPES.join(', ')}`;
    return this.source.problem(field, `Selector specifies an invalid query type: ${given}; ${help}`);
  }

  private estimates(field: JsonField): EstimateRanges | undefined {
    const object = this.read.object(field, ESTIMATES.join(', '), ESTIMATES);
    if (object === undefined) return undefined;
    const duration = (limit: JsonField) => this.read.durationMs(limit);
    const executionTimeMs = optional(object.get('executionTime'), (range) => this.range(range, duration));
    const cpuTimeMs = optional(object.get('cpuTime'), (range) => this.range(range, duration));
    const size = (limit: JsonField) => this.read.sizeBytes(limit);
    const peakMemoryBytes = optional(object.get('peakMemory'), (range) => this.range(range, size));
    return {
      ...(executionTimeMs && { executionTimeMs }),
      ...(cpuTimeMs && { cpuTimeMs }),
      ...(peakMemoryBytes && { peakMemoryBytes }),
    };
  }

  private range(field: JsonField, read: (field: JsonField) => number | undefined): EstimateRange | undefined {
    const object = this.read.object(field, 'min, max or both', ['min', 'max']);
    if (object === undefined) return undefined;
    const min = optional(object.get('min'), read);
    const max = optional(object.get('max'), read);
    if (min !== undefined && max !== undefined && min > max) {
      return this.source.problem(field, `min must be <= max, was ${this.source.show(field)}`);
    }
    return { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  }

  /** D4 */
  private target(group: string, field: JsonField): readonly GroupSpec[] {
    const { lineages, areAll } = this.groups;
    const specs = lineages.get(group) ?? [];
    const spec = specs.at(-1);
    if (spec !== undefined) {
      if (!isLeaf(spec)) this.source.warning(field, `queries fail: ${notLeafProblem(group, group, spec)}`);
    } else if (areAll) {
      const segments = group.split('.');
      const paths = segments.map((_segment, index) => segments.slice(0, index + 1).join('.'));
      // "g." is no group that anybody wrote.
      const missing = segments.includes('') ? group : (paths.find((path) => !lineages.has(path)) ?? group);
      this.source.problem(field, `Selector refers to nonexistent group: ${missing}${this.nearest(group)}`);
    }
    return specs;
  }

  private nearest(group: string): string {
    const leaves = [...this.groups.lineages].filter(([, specs]) => specs.slice(-1).every(isLeaf));
    if (leaves.length > NEAREST_GROUPS_MAX || ++this.nearestCount > NEAREST_MAX) return '';
    return meant(
      nearestName(
        group,
        leaves.map(([path]) => path),
      ),
    );
  }

  /** D5. A name twice would make it a matter of chance which value counts. */
  private checkVariables(group: string, field: JsonField, patterns: readonly JsonField[]): void {
    const available = [...BUILT_IN_VARIABLES];
    for (const pattern of patterns) {
      const compiled = this.patterns.get(String(pattern.scalar));
      // What a wrong expression would have given is not known.
      if (compiled === undefined && pattern.node !== undefined) return;
      for (const name of compiled?.groupNames ?? []) {
        if (available.includes(name))
          this.source.problem(pattern, `Multiple definitions found for variable \${${name}}`);
        available.push(name);
      }
    }
    const unresolved = variablesOf(group).filter((name) => !available.includes(name));
    if (unresolved.length === 0) return;
    const problem = `unresolved variables [${unresolved.join(', ')}] in resource group ID '${group}'`;
    this.source.problem(field, `${problem}, available: [${available.join(', ')}]`);
  }
}
