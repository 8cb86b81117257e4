import { posix } from 'node:path';
import { invariant, parseDurationMs, parseSizeBytes } from '@tutti/base';
import { parse } from 'yaml';
import type { Manifests, Workload } from './manifests.js';

/** The mounted files of a workload's pods that come from ConfigMaps: absolute path in the container -> content. */
export function mountedFiles(manifests: Manifests, { pod, container }: Workload): Map<string, string> {
  const files = new Map<string, string>();
  for (const mount of container.volumeMounts ?? []) {
    const name = pod.volumes?.find((volume) => volume.name === mount.name)?.configMap?.name;
    const map = manifests.all('ConfigMap').find((candidate) => candidate.metadata.name === name);
    for (const [key, content] of Object.entries(map?.data ?? {})) files.set(posix.join(mount.mountPath, key), content);
  }
  return files;
}

/** The settings of a workload's configuration file, by path: `task.maxTasks`. */
export class RoleConfig {
  private constructor(
    /** Where the container finds its file. */
    readonly path: string,
    readonly text: string,
    private readonly values: ReadonlyMap<string, unknown>,
  ) {}

  /** The file that --config names; undefined when the container has none or no ConfigMap holds it. */
  static find(manifests: Manifests, workload: Workload): RoleConfig | undefined {
    const args = workload.container.args ?? [];
    const path = args[args.indexOf('--config') + 1];
    const text =
      args.includes('--config') && path !== undefined ? mountedFiles(manifests, workload).get(path) : undefined;
    return path === undefined || text === undefined ? undefined : new RoleConfig(path, text, flatten(parse(text)));
  }

  static of(manifests: Manifests, role: string): RoleConfig {
    const config = RoleConfig.find(manifests, manifests.workload(role));
    invariant(config !== undefined, `${role} has no configuration file`);
    return config;
  }

  get(path: string): unknown {
    return this.values.get(path);
  }

  number(path: string): number {
    return Number(this.values.get(path));
  }

  durationMs(path: string): number {
    return parseDurationMs(String(this.values.get(path))) ?? Number.NaN;
  }

  sizeBytes(path: string): number {
    return parseSizeBytes(String(this.values.get(path))) ?? Number.NaN;
  }
}

function flatten(node: unknown, prefix = ''): Map<string, unknown> {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return new Map([[prefix.slice(0, -1), node]]);
  return new Map(Object.entries(node).flatMap(([name, value]) => [...flatten(value, `${prefix}${name}.`)]));
}

const QUANTITY_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of a Kubernetes quantity such as 512Mi; NaN when there is none. */
export function quantityBytes(quantity: string | number | undefined): number {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(String(quantity));
  return match === null ? Number.NaN : Number(match[1]) * (QUANTITY_UNITS[match[2] ?? ''] ?? Number.NaN);
}
