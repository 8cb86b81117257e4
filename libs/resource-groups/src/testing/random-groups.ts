import { type Random, randomInt } from '@tutti/base';
import { type GroupConfig, type GroupSpec, groupSpec, type GroupTarget } from '../group-config.js';
import { groupPath } from '../group-path.js';

const POLICIES = ['fair', 'weighted', 'weighted_fair', 'query_priority'] as const;

/** A random tree of up to three levels under one or two roots, with limits of all kinds. */
export function randomConfig(random: Random): GroupConfig {
  const chance = (part: number): boolean => random() < part;
  const group = (name: string, above: string, depth: number): GroupSpec => {
    const template = above === '' ? name : `${above}.${name}`;
    const isLeaf = depth >= 3 || chance(0.4);
    const hardConcurrencyLimit = randomInt(random, 6) + (chance(0.1) ? 0 : 1);
    const subGroups = isLeaf ? [] : Array.from({ length: 1 + randomInt(random, 3) }, (_, index) => `g${index}`);
    return groupSpec({
      ...{ name, template, hardConcurrencyLimit },
      isDynamic: template.includes('${'),
      maxQueued: chance(0.2) ? randomInt(random, 4) : 1_000,
      schedulingPolicy: POLICIES[randomInt(random, POLICIES.length)] ?? 'fair',
      schedulingWeight: 1 + randomInt(random, 3),
      softConcurrencyLimit: randomInt(random, hardConcurrencyLimit + 1),
      guarantee: chance(0.2) ? randomInt(random, hardConcurrencyLimit + 1) : 0,
      softMemoryLimit: chance(0.15) ? { kind: 'bytes', bytes: 1 + randomInt(random, 10) } : undefined,
      ...(chance(0.15) && { softCpuLimitMs: 1_000, hardCpuLimitMs: 2_000 }),
      workersPerQueryLimit: chance(0.1) ? 1 + randomInt(random, 3) : 0,
      queueTimeoutMs: chance(0.1) ? 500 + randomInt(random, 5_000) : undefined,
      maxGroups: 1 + randomInt(random, 3),
      admissionMode: 'gated',
      subGroups: [...subGroups, ...(!isLeaf && chance(0.4) ? ['${USER}'] : [])].map((below) =>
        group(below, template, depth + 1),
      ),
    });
  };
  const roots = chance(0.5) ? ['r'] : ['r', 's'];
  return { rootGroups: roots.map((name) => group(name, '', 1)), selectors: [] };
}

/** The same groups with other limits; now and then one is gone, or another one is there. */
export function changedConfig(random: Random, config: GroupConfig): GroupConfig {
  const other = randomConfig(random);
  const mix = (from: readonly GroupSpec[], to: readonly GroupSpec[]): GroupSpec[] =>
    from
      .filter(() => random() > 0.1)
      .map((spec) => {
        const partner = to.find(({ name }) => name === spec.name) ?? to[0];
        if (partner === undefined) return spec;
        const { name, template, isDynamic } = spec;
        return {
          ...partner,
          ...{ name, template, isDynamic },
          subGroups: spec.subGroups.length === 0 ? [] : mix(spec.subGroups, partner.subGroups),
        };
      });
  if (random() < 0.2) return other;
  const rootGroups = mix(config.rootGroups, other.rootGroups);
  return rootGroups.length === 0 ? other : { rootGroups, selectors: [] };
}

/** A leaf of the configuration, for one of three users. */
export function randomTarget(random: Random, { rootGroups }: GroupConfig): GroupTarget {
  const names: string[] = [];
  const specs: GroupSpec[] = [];
  for (let level = rootGroups; level.length > 0; level = specs.at(-1)?.subGroups ?? []) {
    const spec = level[randomInt(random, level.length)];
    if (spec === undefined) break;
    specs.push(spec);
    names.push(spec.name.includes('${') ? `u${randomInt(random, 3)}` : spec.name);
  }
  return { path: groupPath(names), names, specs };
}
