import { readFile } from 'node:fs/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '@tutti/base';
import type { GroupConfigStatusSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { defaultGroupConfig, type GroupConfig, parseGroupConfig } from '@tutti/resource-groups';
import { aborted, ConfigError, type Log, type Metrics } from '@tutti/service';
import { groupConfigVersion } from './group-config-version.js';

/** The resource groups that a node keeps to. */
export interface LoadedGroups {
  readonly config: GroupConfig;
  /** The first 12 hexadecimal digits of the SHA-256 of the file, or "built-in" without a file. */
  readonly version: string;
}

export interface GroupFileOptions {
  /** Where the file is; '' means the built-in groups. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** How often the file is looked at; default 1,000. */
  readonly pollIntervalMs?: number;
}

/** The file of resource groups, read again when it changes. */
export class GroupFile {
  private readonly listeners = new Set<(groups: LoadedGroups) => void>();

  private constructor(
    private groups: LoadedGroups,
    private loadedAtWallMs: number,
  ) {}

  /** Reads the file. Throws ConfigError with everything that is wrong with it. */
  static async open({ file, clock }: GroupFileOptions): Promise<GroupFile> {
    if (file === '') return new GroupFile({ config: defaultGroupConfig, version: 'built-in' }, clock.wallMs());
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new ConfigError([`resourceGroups.file: cannot read ${file}: ${error.message}`]);
    });
    const parsed = parseGroupConfig(text);
    if ('problems' in parsed) throw new ConfigError(parsed.problems.map((problem) => `${file}: ${problem}`));
    return new GroupFile({ config: parsed.ok, version: groupConfigVersion(text) }, clock.wallMs());
  }

  /** The last good groups. */
  get current(): LoadedGroups {
    return this.groups;
  }

  /** What the node keeps to, and what is wrong with the file as it is now. */
  status(): MessageInitShape<typeof GroupConfigStatusSchema> {
    return { version: this.groups.version, loadTime: timestampFromMs(this.loadedAtWallMs), problems: [] };
  }

  /** Calls `listener` with each new good version. The returned function ends that. */
  onChange(listener: (groups: LoadedGroups) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Watches the file until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await aborted(signal);
  }
}
