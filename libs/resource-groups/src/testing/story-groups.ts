import { parseDurationMs, parseSizeBytes } from '@tutti/base';
import {
  type AdmissionMode,
  type GroupConfig,
  type GroupSpec,
  groupSpec,
  type GroupTarget,
  type MemoryLimit,
  type SchedulingPolicy,
} from '../group-config.js';
import { groupPath } from '../group-path.js';

type Options = { -readonly [Name in keyof GroupSpec]?: GroupSpec[Name] };

/**
 * Groups as stories write them: global=100/1000,policy=weighted global.${USER}=2/10,weight=3
 *
 * A path, hardConcurrencyLimit/maxQueued, and options: policy=, weight=, soft= (softConcurrencyLimit), memory=1GB or 50%,
 * cpu=SOFT:HARD:QUOTA (quota as time that comes back every second), workers=, guarantee=, timeout=, groups= (maxGroups),
 * mode= (of a root; gated when it says nothing).
 */
export function storyConfig(groups: readonly string[]): GroupConfig {
  const parsed = groups.map((text) => {
    const [, path = '', limit, maxQueued, options = ''] = /^([^=]+)=(\d+)\/(\d+),?(.*)$/.exec(text) ?? [];
    return { path, hardConcurrencyLimit: Number(limit), maxQueued: Number(maxQueued), options: optionsOf(options) };
  });
  const below = (parent: string): GroupSpec[] =>
    parsed
      .filter(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf('.'))) === parent)
      .map(({ path, options, ...limits }) =>
        groupSpec({
          name: path.slice(path.lastIndexOf('.') + 1),
          template: path,
          isDynamic: path.includes('${'),
          ...limits,
          admissionMode: 'gated',
          ...options,
          subGroups: below(path),
        }),
      );
  return { rootGroups: below(''), selectors: [] };
}

/** The leaf with this path: of each level the group with that name, or else the one with variables. */
export function storyTarget(config: GroupConfig, path: string): GroupTarget {
  const names = path.split('.').map((name) => name.replaceAll('~', '.'));
  const specs: GroupSpec[] = [];
  let level = config.rootGroups;
  for (const name of names) {
    const spec = level.find((group) => group.name === name) ?? level.find((group) => group.name.includes('${'));
    if (spec === undefined) throw new Error(`no group takes ${path}`);
    specs.push(spec);
    level = spec.subGroups;
  }
  return { path: groupPath(names), names, specs };
}

function optionsOf(text: string): Options {
  const options: Options = {};
  for (const [name = '', value = ''] of text === '' ? [] : text.split(',').map((option) => option.split('='))) {
    if (name === 'policy') options.schedulingPolicy = value as SchedulingPolicy;
    else if (name === 'weight') options.schedulingWeight = Number(value);
    else if (name === 'soft') options.softConcurrencyLimit = Number(value);
    else if (name === 'memory') options.softMemoryLimit = memoryLimit(value);
    else if (name === 'workers') options.workersPerQueryLimit = Number(value);
    else if (name === 'guarantee') options.guarantee = Number(value);
    else if (name === 'timeout') options.queueTimeoutMs = parseDurationMs(value);
    else if (name === 'groups') options.maxGroups = Number(value);
    else if (name === 'mode') options.admissionMode = value as AdmissionMode;
    else if (name === 'cpu') {
      const [soft = '', hard = '', quota = ''] = value.split(':');
      options.softCpuLimitMs = parseDurationMs(soft);
      options.hardCpuLimitMs = parseDurationMs(hard);
      options.cpuQuotaMsPerSecond = parseDurationMs(quota) ?? 0;
    } else throw new Error(`groups have no ${name}`);
  }
  return options;
}

const memoryLimit = (text: string): MemoryLimit =>
  text.endsWith('%')
    ? { kind: 'percent', percent: Number(text.slice(0, -1)) }
    : { kind: 'bytes', bytes: parseSizeBytes(text) ?? 0 };
