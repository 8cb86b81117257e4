// Reads the resource-groups file. Collects every problem, each with the place in the file, instead of the first one.
//   C1. What this version cannot keep is refused, never ignored: a limit that is written down and not kept is a trap.
//   C2. Every selector names a leaf group that exists, so no query can be sent to nowhere.
//   C3. Sibling names differ and hold no '.', so a path names one group.
import { type GroupConfig, groupSpec, type GroupSpec, type Selector } from './group-config.js';
import { compileNamePattern, type NamePattern } from './name-pattern.js';
import { nearestName } from '@tutti/base';

/** Either the configuration or everything that is wrong with the text. */
export type ParsedGroupConfig = { readonly ok: GroupConfig } | { readonly problems: readonly string[] };

const FILE_PROPERTIES = ['rootGroups', 'selectors'];
const GROUP_PROPERTIES = ['name', 'hardConcurrencyLimit', 'maxQueued', 'schedulingPolicy', 'subGroups'];
const SELECTOR_PROPERTIES = ['user', 'source', 'group'];
/** Presto's properties that have no effect here yet (C1). */
const NOT_YET = new Set([
  ...['cpuQuotaPeriod', 'softMemoryLimit', 'softConcurrencyLimit', 'schedulingWeight', 'jmxExport', 'softCpuLimit'],
  ...['hardCpuLimit', 'perQueryLimits', 'workersPerQueryLimit', 'workerPerQueryLimit', 'principal', 'clientInfo'],
  ...['clientTags', 'queryType', 'schema', 'selectorResourceEstimate'],
]);
const LIMIT_MAX = 1_000_000;
const GROUPS_MAX = 10_000;
const SELECTORS_MAX = 10_000;
const DEPTH_MAX = 16;
const PATTERN_LENGTH_MAX = 1_000;
const PROBLEMS_MAX = 100;

/** Reads the text of a resource-groups file. */
export function parseGroupConfig(text: string): ParsedGroupConfig {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { problems: [`not JSON: ${error instanceof Error ? error.message : String(error)}${placeOf(error, text)}`] };
  }
  const decoder = new Decoder();
  const config = decoder.config(json);
  const { problems } = decoder;
  if (problems.length === 0) return { ok: config };
  const left = problems.length - PROBLEMS_MAX;
  return { problems: left > 0 ? [...problems.slice(0, PROBLEMS_MAX), `and ${left} more problems`] : problems };
}

class Decoder {
  readonly problems: string[] = [];
  private readonly groupPaths = new Set<string>();
  private readonly leafPaths = new Set<string>();
  private readonly lineages = new Map<string, readonly GroupSpec[]>();
  private groupCount = 0;

  config(json: unknown): GroupConfig {
    if (!isObject(json)) {
      this.problem('', `must be an object with rootGroups and selectors, was ${show(json)}`);
      return { rootGroups: [], selectors: [] };
    }
    this.checkProperties(json, FILE_PROPERTIES, '');
    const rootGroups = this.groups(json['rootGroups'], 'rootGroups', '', 1);
    const problemsOfGroups = this.problems.length;
    const selectors = this.list(json['selectors'], 'selectors', SELECTORS_MAX).map((selector, index) =>
      // A selector to a group that could not be read is no second problem.
      this.selector(selector, `selectors[${index}]`, problemsOfGroups === 0),
    );
    this.addLineages(rootGroups, []);
    return {
      rootGroups,
      selectors: selectors.map((one) => ({ ...one, specs: this.lineages.get(one.group) ?? [] })),
    };
  }

  private addLineages(groups: readonly GroupSpec[], above: readonly GroupSpec[]): void {
    for (const group of groups) {
      this.lineages.set(group.template, [...above, group]);
      this.addLineages(group.subGroups, [...above, group]);
    }
  }

  /** A list that must hold something. */
  private list(json: unknown, at: string, max: number): unknown[] {
    if (Array.isArray(json) && json.length > 0 && json.length <= max) return json;
    const was = Array.isArray(json) ? `had ${json.length}` : `was ${show(json)}`;
    this.problem(at, `must be a list of 1 to ${max} entries, ${was}`);
    return [];
  }

  private groups(json: unknown, at: string, parentPath: string, depth: number): GroupSpec[] {
    if (depth > DEPTH_MAX) {
      this.problem(at, `groups may be nested ${DEPTH_MAX} deep`);
      return [];
    }
    const names = new Set<string>();
    return this.list(json, at, GROUPS_MAX).map((group, index) => {
      const spec = this.group(group, `${at}[${index}]`, parentPath, depth);
      const kind = depth === 1 ? 'root group' : 'subgroup';
      if (spec.name !== '' && names.has(spec.name))
        this.problem(`${at}[${index}].name`, `duplicated ${kind} "${spec.name}"`);
      names.add(spec.name);
      return spec;
    });
  }

  private group(json: unknown, at: string, parentPath: string, depth: number): GroupSpec {
    if (++this.groupCount === GROUPS_MAX + 1) this.problem(at, `there may be ${GROUPS_MAX} groups`);
    if (!isObject(json) || this.groupCount > GROUPS_MAX) {
      if (!isObject(json)) this.problem(at, `must be an object, was ${show(json)}`);
      return groupSpec({ name: '', hardConcurrencyLimit: 0, maxQueued: 0 });
    }
    this.checkProperties(json, GROUP_PROPERTIES, at);
    const name = this.name(json['name'], `${at}.name`);
    const path = parentPath === '' ? name : `${parentPath}.${name}`;
    const isLeaf = json['subGroups'] === undefined || (Array.isArray(json['subGroups']) && !json['subGroups'].length);
    this.groupPaths.add(path);
    if (isLeaf) this.leafPaths.add(path);
    this.schedulingPolicy(json['schedulingPolicy'], `${at}.schedulingPolicy`);
    return groupSpec({
      name,
      template: path,
      hardConcurrencyLimit: this.limit(json['hardConcurrencyLimit'], `${at}.hardConcurrencyLimit`),
      maxQueued: this.limit(json['maxQueued'], `${at}.maxQueued`),
      subGroups: isLeaf ? [] : this.groups(json['subGroups'], `${at}.subGroups`, path, depth + 1),
    });
  }

  private name(json: unknown, at: string): string {
    if (typeof json !== 'string' || json === '' || json.length > 100) {
      this.problem(at, `must be a text of 1 to 100 letters, was ${show(json)}`);
      return '';
    }
    if (json.includes('${')) this.problem(at, `variables are not supported yet, was ${show(json)}`);
    else if (json.includes('.')) this.problem(at, `must not contain a '.', was ${show(json)}`);
    return json;
  }

  private limit(json: unknown, at: string): number {
    if (typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= LIMIT_MAX) return json;
    const tooMuch = typeof json === 'number' && json > LIMIT_MAX ? ` and <= ${LIMIT_MAX}` : '';
    this.problem(at, `must be a whole number >= 0${tooMuch}, was ${show(json)}`);
    return 0;
  }

  private schedulingPolicy(json: unknown, at: string): void {
    if (json === undefined || json === 'fair') return;
    const known = json === 'weighted' || json === 'weighted_fair' || json === 'query_priority';
    this.problem(at, known ? `"${json}" is not supported yet; use "fair"` : `must be "fair", was ${show(json)}`);
  }

  private selector(json: unknown, at: string, groupsAreRight: boolean): Selector {
    if (!isObject(json)) {
      this.problem(at, `must be an object, was ${show(json)}`);
      return { group: '', specs: [] };
    }
    this.checkProperties(json, SELECTOR_PROPERTIES, at);
    const group = json['group'];
    if (typeof group !== 'string') this.problem(`${at}.group`, `must be the path of a group, was ${show(group)}`);
    else if (groupsAreRight) this.checkTarget(group, `${at}.group`);
    const user = this.pattern(json['user'], `${at}.user`);
    const source = this.pattern(json['source'], `${at}.source`);
    return { ...(user && { user }), ...(source && { source }), group: String(group), specs: [] };
  }

  /** C2 */
  private checkTarget(group: string, at: string): void {
    if (this.leafPaths.has(group)) return;
    if (this.groupPaths.has(group)) {
      return this.problem(at, `"${group}" has subgroups; queries go to groups without subgroups only`);
    }
    const nearest = nearestName(group, [...this.leafPaths]);
    this.problem(at, `selector refers to nonexistent group ${show(group)}${meant(nearest)}`);
  }

  private pattern(json: unknown, at: string): NamePattern | undefined {
    if (json === undefined) return undefined;
    if (typeof json !== 'string' || json.length > PATTERN_LENGTH_MAX) {
      this.problem(at, `must be a regular expression of up to ${PATTERN_LENGTH_MAX} letters, was ${show(json)}`);
      return undefined;
    }
    try {
      return compileNamePattern(json);
    } catch (error) {
      this.problem(at, `no regular expression: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  /** C1 */
  private checkProperties(json: object, known: readonly string[], at: string): void {
    for (const property of Object.keys(json)) {
      if (known.includes(property)) continue;
      const where = at === '' ? property : `${at}.${property}`;
      if (NOT_YET.has(property)) this.problem(where, 'is not supported yet; remove it');
      else if (property === 'maxRunning') this.problem(where, 'is an old name; write hardConcurrencyLimit');
      else
        this.problem(
          where,
          `unknown property${meant(nearestName(property, known)) || `; known are ${known.join(', ')}`}`,
        );
    }
  }

  private problem(at: string, text: string): void {
    this.problems.push(at === '' ? text : `${at}: ${text}`);
  }
}

const isObject = (json: unknown): json is Record<string, unknown> =>
  typeof json === 'object' && json !== null && !Array.isArray(json);

const meant = (nearest: string | undefined): string => (nearest === undefined ? '' : `; did you mean "${nearest}"?`);

/** A value as it stands in the file, shortened. */
function show(json: unknown): string {
  if (json === undefined) return 'missing';
  const text = JSON.stringify(json);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** Line and column of a syntax error, when the message tells the position. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  if (position === undefined) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`;
}
