// Reads the limits of one group.
//   D3. A limit that is written down is kept, or refused here; none is ignored.
import { type FieldReader, INT_MAX, optional } from './field-reader.js';
import type { GroupSpec, PerQueryLimits } from './group-config.js';
import type { JsonField, JsonObject, JsonSource } from './json-source.js';

const PER_QUERY_LIMITS = ['executionTimeLimit', 'totalMemoryLimit', 'cpuTimeLimit'];
const PRIORITY_MAX = 1_000_000_000;

export class LimitDecoder {
  private isPeriodMissing = false;

  constructor(
    private readonly source: JsonSource,
    private readonly read: FieldReader,
    /** Of the whole file; undefined without one. */
    private readonly cpuQuotaPeriodMs: number | undefined,
  ) {}

  /** A wrong one is one problem: nothing is too much for it. */
  hardConcurrencyLimit(object: JsonObject): number {
    const old = object.get('maxRunning');
    // When both are missing, the problem names the new one.
    if (old.node === undefined) return this.read.wholeNumber(object.get('hardConcurrencyLimit')) ?? INT_MAX;
    return this.withAlias(object, 'hardConcurrencyLimit', 'maxRunning') ?? INT_MAX;
  }

  /** A number with two names, both of Presto. */
  withAlias(object: JsonObject, name: string, alias: string): number | undefined {
    const number = this.number(object.get(name), 0);
    const other = this.number(object.get(alias), 0);
    if (number === undefined || other === undefined || number === other) return number ?? other;
    return this.source.problem(object.get(alias), `is another name of ${name}, and they differ; remove one`);
  }

  /** A number that may be left out. */
  number(field: JsonField, min: number, max = INT_MAX): number | undefined {
    return optional(field, (number) => this.read.wholeNumber(number, { min, max }));
  }

  atMost(field: JsonField, hardLimit: number): number | undefined {
    const number = this.number(field, 0);
    if (number === undefined || number <= hardLimit) return number;
    return this.source.problem(field, `must be <= hardConcurrencyLimit, which is ${hardLimit}, was ${number}`);
  }

  positiveDurationMs(field: JsonField): number | undefined {
    const durationMs = this.read.durationMs(field);
    return durationMs === 0 ? this.source.problem(field, 'must be longer than 0') : durationMs;
  }

  /** Algorithm of the quota: Presto's (reference: presto.md 3.6). */
  cpu(object: JsonObject, name: string): Pick<GroupSpec, 'softCpuLimitMs' | 'hardCpuLimitMs' | 'cpuQuotaMsPerSecond'> {
    const [soft, hard] = [object.get('softCpuLimit'), object.get('hardCpuLimit')];
    const softCpuLimitMs = optional(soft, (limit) => this.read.durationMs(limit));
    const hardCpuLimitMs = optional(hard, (limit) => this.read.durationMs(limit));
    // At the hard limit: what is wrong with the soft one stands there. Once: it is one property that is missing.
    const limited = hard.node === undefined ? soft : hard;
    if (limited.node !== undefined && this.cpuQuotaPeriodMs === undefined && !this.isPeriodMissing) {
      this.isPeriodMissing = true;
      const rule = `cpuQuotaPeriod must be specified to use cpu limits on group: ${name}`;
      this.source.problem(limited, `${rule}; it stands beside rootGroups, for example "cpuQuotaPeriod": "1h"`);
    }
    if (soft.node !== undefined && hard.node === undefined) {
      this.source.problem(soft, 'Must specify hard CPU limit in addition to soft limit; add hardCpuLimit');
    }
    if (softCpuLimitMs !== undefined && hardCpuLimitMs !== undefined && softCpuLimitMs > hardCpuLimitMs) {
      this.source.problem(soft, 'Soft CPU limit cannot be greater than hard CPU limit');
    }
    const [limitMs, periodMs] = [hardCpuLimitMs ?? softCpuLimitMs, this.cpuQuotaPeriodMs];
    const isLimited = limitMs !== undefined && periodMs !== undefined;
    const cpuQuotaMsPerSecond = isLimited ? Math.max(1, Math.floor((1_000 * limitMs) / periodMs)) : 0;
    return { softCpuLimitMs, hardCpuLimitMs, cpuQuotaMsPerSecond };
  }

  perQuery(field: JsonField): PerQueryLimits {
    const object = this.read.object(field, PER_QUERY_LIMITS.join(', '), PER_QUERY_LIMITS);
    if (object === undefined) return {};
    const duration = (property: string) => optional(object.get(property), (limit) => this.positiveDurationMs(limit));
    const executionTimeLimitMs = duration('executionTimeLimit');
    const cpuTimeLimitMs = duration('cpuTimeLimit');
    const totalMemoryLimitBytes = optional(object.get('totalMemoryLimit'), (limit) => this.read.sizeBytes(limit));
    return {
      ...(executionTimeLimitMs !== undefined && { executionTimeLimitMs }),
      ...(totalMemoryLimitBytes !== undefined && { totalMemoryLimitBytes }),
      ...(cpuTimeLimitMs !== undefined && { cpuTimeLimitMs }),
    };
  }

  priorities(field: JsonField): GroupSpec['queryPriority'] | undefined {
    const object = this.read.object(field, 'min, max or both', ['min', 'max']);
    if (object === undefined) return undefined;
    const min = this.number(object.get('min'), 1, PRIORITY_MAX) ?? 1;
    const max = this.number(object.get('max'), 1, PRIORITY_MAX) ?? PRIORITY_MAX;
    return min <= max ? { min, max } : this.source.problem(field, `min must be <= max, was ${this.source.show(field)}`);
  }
}
