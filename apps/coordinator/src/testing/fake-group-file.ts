import { type GroupConfig, parseGroupConfig } from '@tutti/resource-groups';
import type { LoadedGroups } from '@tutti/group-file';
import { aborted } from '@tutti/service';

/** Resource groups that change when a test says so. */
export class FakeGroupFile {
  /** What is wrong with the file now. */
  problems: string[] = [];
  private readonly listeners = new Set<(groups: LoadedGroups) => void>();
  private loaded: LoadedGroups;

  constructor(config: GroupConfig) {
    this.loaded = { config, version: 'v1' };
  }

  get current(): LoadedGroups {
    return this.loaded;
  }

  /** From now on these groups hold. */
  load(config: GroupConfig): void {
    this.loaded = { config, version: `v${Number(this.loaded.version.slice(1)) + 1}` };
    for (const listener of this.listeners) listener(this.loaded);
  }

  status() {
    return { version: this.loaded.version, problems: this.problems };
  }

  onChange(listener: (groups: LoadedGroups) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async run(signal: AbortSignal): Promise<void> {
    await aborted(signal);
  }
}

/** Resource groups as in a file. */
export function groupsOf(file: {
  readonly rootGroups: readonly object[];
  readonly selectors: readonly object[];
  readonly cpuQuotaPeriod?: string;
}): GroupConfig {
  const parsed = parseGroupConfig(JSON.stringify(file));
  if (!('ok' in parsed)) throw new Error(parsed.problems.join('\n'));
  return parsed.ok;
}

/** One group "global" for everybody. */
export const oneGroup = (hardConcurrencyLimit: number, maxQueued = 100, more: object = {}): GroupConfig =>
  groupsOf({
    rootGroups: [{ name: 'global', hardConcurrencyLimit, maxQueued, ...more }],
    selectors: [{ group: 'global' }],
  });
