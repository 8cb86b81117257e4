import { execFileSync } from 'node:child_process';
import type { NodePlace } from '../local-cluster.js';

/** Of RFC 2544, for benchmarks: no real network uses it. Nodes talk with each other on the first, with us on the second. */
const [DATA_NET, CONTROL_NET] = ['198.18', '198.19'] as const;
const PLACES_MAX = 250;
/** What is left of a network stays until somebody removes it, so these end the process in good order. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Nodes in network namespaces of their own (Linux, as root), on a bridge that can be split in two: packets from one part to
 * the other vanish, as when a switch fails. A second network, which stays whole, is there to watch them.
 */
export class NetworkSplit {
  private readonly tag = process.pid.toString(36);
  private readonly subnet = process.pid % 250;
  private readonly bridges = ['a', 'b', 'c'].map((letter) => `tb${this.tag}${letter}`) as [string, string, string];
  private readonly numbers = new Map<string, number>();
  private readonly onExit = () => this.close();
  private readonly onSignal = () => process.exit(130);

  /** Throws, with the system's own words, where the machine does not allow it. */
  static create(ids: readonly string[]): NetworkSplit {
    const split = new NetworkSplit();
    process.once('exit', split.onExit);
    for (const name of SIGNALS) process.once(name, split.onSignal);
    try {
      split.build(ids);
      return split;
    } catch (error) {
      split.close();
      throw error;
    }
  }

  readonly placeOf = (id: string): NodePlace => ({
    host: this.address(DATA_NET, id),
    bindHost: '0.0.0.0',
    reachHost: this.address(CONTROL_NET, id),
    launcher: ['ip', 'netns', 'exec', this.namespace(id)],
  });

  /** Cuts these nodes off from all others; they still reach each other. */
  cut(ids: readonly string[]): void {
    for (const id of ids) ip('link', 'set', this.port('d', id), 'master', this.bridges[1]);
  }

  heal(): void {
    for (const id of this.numbers.keys()) ip('link', 'set', this.port('d', id), 'master', this.bridges[0]);
  }

  /** Removes everything; what was never made is no error. */
  close(): void {
    process.removeListener('exit', this.onExit);
    for (const name of SIGNALS) process.removeListener(name, this.onSignal);
    for (const id of this.numbers.keys()) quietly('netns', 'del', this.namespace(id));
    for (const bridge of this.bridges) quietly('link', 'del', bridge);
  }

  private build(ids: readonly string[]): void {
    if (ids.length > PLACES_MAX) throw new Error(`at most ${PLACES_MAX} nodes`);
    for (const bridge of this.bridges) {
      ip('link', 'add', bridge, 'type', 'bridge');
      ip('link', 'set', bridge, 'up');
    }
    ip('addr', 'add', `${CONTROL_NET}.${this.subnet}.254/24`, 'dev', this.bridges[2]);
    for (const [index, id] of ids.entries()) {
      this.numbers.set(id, index + 1);
      ip('netns', 'add', this.namespace(id));
      ip('-n', this.namespace(id), 'link', 'set', 'lo', 'up');
      this.plug('d', id, this.bridges[0], this.address(DATA_NET, id));
      this.plug('c', id, this.bridges[2], this.address(CONTROL_NET, id));
    }
  }

  private plug(kind: 'c' | 'd', id: string, bridge: string, address: string): void {
    const [inside, port] = [`eth-${kind}`, this.port(kind, id)];
    ip('link', 'add', port, 'type', 'veth', 'peer', 'name', inside, 'netns', this.namespace(id));
    ip('link', 'set', port, 'master', bridge, 'up');
    ip('-n', this.namespace(id), 'addr', 'add', `${address}/24`, 'dev', inside);
    ip('-n', this.namespace(id), 'link', 'set', inside, 'up');
  }

  private readonly address = (net: string, id: string) => `${net}.${this.subnet}.${this.number(id)}`;
  private readonly namespace = (id: string) => `tutti-${this.tag}-${this.number(id)}`;
  /** At most 15 characters. */
  private readonly port = (kind: 'c' | 'd', id: string) => `t${this.tag}${kind}${this.number(id)}`;

  private number(id: string): number {
    const number = this.numbers.get(id);
    if (number === undefined) throw new Error(`no node ${id}; there are ${[...this.numbers.keys()].join(', ')}`);
    return number;
  }
}

/** Why there can be no network namespaces here; undefined when there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return `network namespaces are of Linux, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'only root may make network namespaces';
  try {
    NetworkSplit.create(['probe']).close();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function ip(...args: readonly string[]): void {
  try {
    execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string; readonly stderr?: string };
    const reason = code === 'ENOENT' ? 'there is no program "ip"' : (stderr ?? '').trim();
    throw new Error(`ip ${args.join(' ')}: ${reason || String(error)}`, { cause: error });
  }
}

function quietly(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    return; // It was not there: making it had failed.
  }
}
