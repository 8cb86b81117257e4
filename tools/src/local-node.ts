import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Role = 'resource-manager' | 'coordinator' | 'worker';

export interface NodePorts {
  readonly cluster: number;
  readonly edge: number;
  readonly metrics: number;
  readonly health: number;
}

/** Where a node runs. */
export interface NodePlace {
  /** Where other nodes reach it. */
  readonly host: string;
  readonly bindHost: string;
  /** Where this process reaches it. */
  readonly reachHost: string;
  /** A program and its arguments that start the node's command line. */
  readonly launcher: readonly string[];
}

export const LOOPBACK: NodePlace = { host: '127.0.0.1', bindHost: '127.0.0.1', reachHost: '127.0.0.1', launcher: [] };

/**
 * Large results pass through coordinators in blocks of 64 KiB and more. Blocks that the allocator maps go back to the system
 * when they are freed, and a small young generation holds little that is dead: a slow client costs a tenth of the memory.
 */
const COORDINATOR_MEMORY = {
  argv: ['--max-semi-space-size=4'],
  env: { MALLOC_MMAP_THRESHOLD_: '65536' },
} as const;

/** One real process of a local cluster: it can be started, killed, frozen and started again on the same ports. */
export class LocalNode {
  private child: ChildProcess | undefined;
  private exited: Promise<void> = Promise.resolve();
  private wasStarted = false;

  constructor(
    readonly id: string,
    readonly role: Role,
    readonly ports: NodePorts,
    private readonly options: {
      readonly root: string;
      readonly directory: string;
      readonly arguments: readonly string[];
      /** Only for its first process. */
      readonly firstStartArguments?: readonly string[];
      readonly place?: NodePlace;
      readonly env: Readonly<Record<string, string | undefined>>;
    },
  ) {}

  get logFile(): string {
    return join(this.options.directory, `${this.id}.log`);
  }

  /** The URL of one of its ports, from here. */
  url(port: keyof NodePorts): string {
    return `http://${(this.options.place ?? LOOPBACK).reachHost}:${this.ports[port]}`;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The exit code of the last process; undefined while it runs or when a signal ended it. */
  get exitCode(): number | undefined {
    return this.child?.exitCode ?? undefined;
  }

  start(): void {
    if (this.running) return;
    const log = openSync(this.logFile, 'a');
    const script = join(this.options.root, 'apps', this.role, 'bundle', 'main.mjs');
    const first = this.wasStarted ? [] : (this.options.firstStartArguments ?? []);
    this.wasStarted = true;
    const memory = this.role === 'coordinator' ? COORDINATOR_MEMORY : undefined;
    const argv = [
      '--enable-source-maps',
      ...(memory?.argv ?? []),
      script,
      ...this.options.arguments,
      ...first,
      '--node-exit-with-stdin',
    ];
    const [program = process.execPath, ...rest] = [
      ...(this.options.place ?? LOOPBACK).launcher,
      process.execPath,
      ...argv,
    ];
    const child = spawn(program, rest, {
      // The node sees the end of its standard input when this process dies, even by kill -9, and drains. A group of its
      // own keeps the terminal's Ctrl-C away from it: this process stops the nodes, in order.
      detached: true,
      stdio: ['pipe', log, log],
      env: { ...memory?.env, ...this.options.env },
    });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
  }

  signal(name: NodeJS.Signals): void {
    if (this.running) this.child?.kill(name);
  }

  /** Asks the process to drain and waits for its end; kills it after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (!this.running) return this.exited;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  /** Whether /readyz on the health port answers 200. */
  async isReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url('health')}/readyz`, {
        signal: AbortSignal.timeout(1_000),
      });
      return response.ok;
    } catch {
      return false;
    }
  }

  /** The last lines that the process logged. */
  logTail(lines: number): string {
    return readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }
}
