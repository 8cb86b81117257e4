// The addresses of the resource managers, as configured and as DNS has them now.
//   A1. A literal `host:port` is always among the addresses.
//   A2. A DNS name that cannot be resolved keeps its last good answer; an empty answer counts as no answer.
//   A3. Listeners hear the whole set, and only when it differs from what they heard before.
import { type Clock, sleep } from '@tutti/base';
import type { Log } from './log.js';

/** Resolves a name to all its IPv4 and IPv6 addresses. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export class AddressWatcher {
  private readonly literals: readonly string[];
  private readonly names: readonly { readonly name: string; readonly port: string }[];
  private readonly answers = new Map<string, readonly string[]>();
  /** What is wrong with a name, so that it is told once and not at every look. */
  private readonly problems = new Map<string, string>();
  private readonly listeners = new Set<(addresses: ReadonlySet<string>) => void>();
  private current: ReadonlySet<string>;

  constructor(
    private readonly options: {
      /** 'host:port', or 'dns:NAME:PORT'. */
      readonly specs: readonly string[];
      readonly resolveIntervalMs: number;
      readonly resolve: Resolve;
      readonly clock: Clock;
      readonly log: Log;
    },
  ) {
    this.literals = options.specs.filter((spec) => !spec.startsWith('dns:'));
    this.names = options.specs.filter((spec) => spec.startsWith('dns:')).map(parseDnsSpec);
    this.current = new Set(this.literals);
  }

  /** The addresses known now. */
  addresses(): ReadonlySet<string> {
    return this.current;
  }

  /** Calls `listener` with the addresses known now, if any, and with the whole set after each change. */
  onChange(listener: (addresses: ReadonlySet<string>) => void): void {
    this.listeners.add(listener);
    if (this.current.size > 0) listener(this.current);
  }

  /** Resolves the DNS names again and again until `signal` aborts. */
  start(signal: AbortSignal): void {
    if (this.names.length > 0) void this.run(signal);
  }

  private async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await Promise.all(this.names.map(({ name, port }) => this.refresh(name, port, signal)));
      await sleep(this.options.clock, this.options.resolveIntervalMs, signal);
    }
  }

  private async refresh(name: string, port: string, signal: AbortSignal): Promise<void> {
    try {
      const found = await this.options.resolve(name);
      if (signal.aborted) return;
      if (found.length === 0) return this.noteProblem(name, 'the answer is empty');
      const addresses = found.map((address) => hostAndPort(address, port));
      this.answers.set(`${name}:${port}`, addresses);
      if (this.problems.delete(name)) this.options.log.info('dns-resolved', { name, addresses });
    } catch (error) {
      return this.noteProblem(name, (error as Error).message);
    }
    this.publish();
  }

  private noteProblem(name: string, reason: string): void {
    if (this.problems.get(name) === reason) return;
    this.problems.set(name, reason);
    this.options.log.warn('dns-failed', { name, reason });
  }

  private publish(): void {
    const next = new Set([...this.literals, ...[...this.answers.values()].flat()]);
    if (next.size === this.current.size && [...next].every((address) => this.current.has(address))) return;
    this.current = next;
    for (const listener of this.listeners) listener(next);
  }
}

function parseDnsSpec(spec: string): { name: string; port: string } {
  const rest = spec.slice('dns:'.length);
  const colon = rest.lastIndexOf(':');
  return { name: rest.slice(0, colon), port: rest.slice(colon + 1) };
}

/** Whether `spec` is 'host:port' or 'dns:NAME:PORT'; IPv6 addresses stand in brackets. */
export const isAddressSpec = (spec: string): boolean => /^(dns:)?(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/.test(spec);

/** Joins a host and a port; IPv6 addresses get brackets. */
export const hostAndPort = (host: string, port: number | string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]:${port}` : `${host}:${port}`;
