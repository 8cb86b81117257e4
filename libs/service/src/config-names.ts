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

/** The candidate that `text` was probably meant to be; undefined when none is near. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(text, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, text.length / 4) ? best.candidate : undefined;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
