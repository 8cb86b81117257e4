import type { Setting, Settings } from './settings.js';

/** A setting with its names: `cluster.port`, TUTTI_CLUSTER_PORT, cluster-port. */
export interface FlatSetting extends Setting<unknown> {
  readonly path: string;
  readonly env: string;
  readonly arg: string;
}

const words = (path: string): string[] =>
  path
    .replace(/([a-z0-9])([A-Z])/g, '$1.$2')
    .toLowerCase()
    .split('.');

/** All settings of a schema, in its order. */
export function flattenSettings(schema: Settings, prefix = ''): FlatSetting[] {
  return Object.entries(schema).flatMap(([name, entry]) => {
    const path = prefix + name;
    if (!isSetting(entry)) return flattenSettings(entry, `${path}.`);
    return [{ ...entry, path, env: `TUTTI_${words(path).join('_').toUpperCase()}`, arg: words(path).join('-') }];
  });
}

const isSetting = (entry: Setting<unknown> | Settings): entry is Setting<unknown> => entry.kind === 'setting';

/** Values by path as an object of groups. */
export function nest(values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of values) {
    const names = path.split('.');
    const last = names.pop() ?? path;
    const group = names.reduce((parent, name) => (parent[name] ??= {}) as Record<string, unknown>, root);
    group[last] = value;
  }
  return root;
}
