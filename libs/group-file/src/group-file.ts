import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '@tutti/base';
import type { GroupConfigStatusSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { defaultGroupConfig, type GroupConfig } from '@tutti/resource-groups';
import { aborted, ConfigError, every, type Log, type Metrics } from '@tutti/service';
import { type FileContent, ReloadRules } from './core/reload-rules.js';
import { contentOf, type Fingerprint, lookAt } from './file-content.js';
import { GroupFileMetrics } from './group-file-metrics.js';

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

const POLL_INTERVAL_MS = 1_000;
/** How many problems the status tells: it is part of every heartbeat. The log has all. */
const STATUS_PROBLEMS_MAX = 20;

/**
 * The file of resource groups, read again when it changes: also when another file takes its place, or a symbolic link
 * on the way to it leads elsewhere. While something is wrong with it the last good groups hold.
 */
export class GroupFile {
  private readonly listeners = new Set<(groups: LoadedGroups) => void>();
  private readonly rules: ReloadRules;
  private readonly metrics: GroupFileMetrics;
  private problems: readonly string[] = [];
  private loadedAtWallMs: number;
  private lastContent: FileContent | undefined;
  /** A changed file is read at two looks: it may change again before its times do. */
  private readsLeft = 1;

  private constructor(
    private readonly options: GroupFileOptions,
    private groups: LoadedGroups,
    private fingerprint: Fingerprint,
  ) {
    this.rules = new ReloadRules(groups.version);
    this.metrics = new GroupFileMetrics(options.metrics);
    this.loadedAtWallMs = options.clock.wallMs();
    this.metrics.loaded(groups.version);
  }

  /** Reads the file. Throws ConfigError with everything that is wrong with it. */
  static async open(options: GroupFileOptions): Promise<GroupFile> {
    const { file } = options;
    if (file === '') return new GroupFile(options, { config: defaultGroupConfig, version: 'built-in' }, '');
    const look = await lookAt(file);
    const { key, parsed } = await contentOf(file, look);
    if ('problems' in parsed) throw new ConfigError(parsed.problems.map((problem) => `${file}: ${problem}`));
    tellLoaded(options, key, parsed.warnings);
    return new GroupFile(options, { config: parsed.ok, version: key }, look.fingerprint);
  }

  /** The last good groups. */
  get current(): LoadedGroups {
    return this.groups;
  }

  /** What the node keeps to, and what is wrong with the file as it is now. */
  status(): MessageInitShape<typeof GroupConfigStatusSchema> {
    const problems = this.problems.slice(0, STATUS_PROBLEMS_MAX);
    return { version: this.groups.version, loadTime: timestampFromMs(this.loadedAtWallMs), problems };
  }

  /** Calls `listener` with each new good version. The returned function ends that. */
  onChange(listener: (groups: LoadedGroups) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Looks at the file every `pollIntervalMs`, until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { file, clock, log, pollIntervalMs: intervalMs = POLL_INTERVAL_MS } = this.options;
    if (file === '') return aborted(signal);
    await every({ intervalMs, clock, random: () => 0, signal, log, run: () => this.look() });
  }

  /** Looks at the file now, and does what follows from that. */
  async look(): Promise<void> {
    const { file } = this.options;
    // Before the content is read: what changes in between changes the fingerprint of the next look.
    const look = await lookAt(file);
    if (look.fingerprint !== this.fingerprint) this.readsLeft = 2;
    this.fingerprint = look.fingerprint;
    if (this.readsLeft === 0) return;
    this.readsLeft--;
    const content = await contentOf(file, look, this.lastContent);
    this.lastContent = content;
    this.follow(content);
  }

  private follow(content: FileContent): void {
    const { file, log } = this.options;
    const verdict = this.rules.looked(content);
    const { key, parsed } = content;
    if (verdict === 'failed' && 'problems' in parsed) {
      this.problems = parsed.problems;
      this.metrics.failed();
      log.warn('resource-groups-invalid', { file, keptVersion: this.groups.version, problems: this.problems });
    }
    if ((verdict === 'recovered' || verdict === 'apply') && 'ok' in parsed) {
      this.problems = [];
      this.metrics.loaded(key);
      tellLoaded(this.options, key, parsed.warnings);
    }
    if (verdict === 'apply' && 'ok' in parsed) {
      this.groups = { config: parsed.ok, version: key };
      this.loadedAtWallMs = this.options.clock.wallMs();
      this.metrics.applied();
      for (const listener of this.listeners) listener(this.groups);
    }
  }
}

function tellLoaded({ file, log }: GroupFileOptions, version: string, warnings: readonly string[]): void {
  log.info('resource-groups-loaded', { file, version });
  if (warnings.length > 0) log.warn('resource-groups-warning', { file, version, warnings });
}
