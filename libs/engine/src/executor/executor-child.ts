// An executor's process, seen from its parent.
import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Log } from '@tutti/service';
import type { ExecutorWork } from './active-task.js';
import { giveWay, offerToOutOfMemoryKiller, type ProcessUsage, readProcessUsage } from './process-usage.js';
import { ALIVE_MS, type FromExecutor, type ToExecutor } from './protocol.js';
import { makePipe } from './result-pipe.js';

/** `starting` also between two tasks, while there is no database for the next. */
export type ExecutorState = 'starting' | 'idle' | 'busy' | 'gone';

const STDERR_MAX = 4_000;

/** A child process that runs one task or session at a time. */
export class ExecutorChild {
  state: ExecutorState = 'starting';
  active: ExecutorWork | undefined;
  /** Whether it was ever ready: a program that never is will not be better the next time. */
  wasReady = false;
  /** Tasks and sessions that it was given. */
  tasksRun = 0;
  /** Databases that it has ready for tasks, as far as it has told. */
  spares = 0;
  private readonly process: ChildProcess;
  private readonly pipeMade: Promise<void>;
  private stderr = '';
  private lastUsage: ProcessUsage = { cpuMs: 0, rssBytes: 0 };
  private killedByUs = false;
  private aliveTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: {
      readonly path: string;
      readonly directory: string;
      /** Exists by the time that the executor is ready. */
      readonly resultPipe: string;
      /** Where its tasks and sessions spill: it has one at a time. */
      readonly spillDirectory: string;
      readonly log: Log;
      /** It became idle, let go of its task, or is gone. */
      readonly changed: (child: ExecutorChild) => void;
    },
  ) {
    this.pipeMade = makePipe(options.resultPipe).catch((error: unknown) => {
      options.log.error('executor-pipe', { path: options.resultPipe, error });
      // Without it only some results could be sent, and nobody would know why.
      this.kill();
    });
    this.process = forkIsolated(options.path, options.directory);
    this.process.on('message', (message: FromExecutor) => this.receive(message));
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_MAX);
    });
    // Also when it could not be started at all, and when a message could not be sent because it is gone: 'exit' follows.
    this.process.on('error', (error) => this.options.log.warn('executor-error', { error }));
    this.process.once('close', (code, signal) => this.closed(code, signal));
    if (this.process.pid === undefined) return;
    giveWay(this.process.pid);
    offerToOutOfMemoryKiller(this.process.pid);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get resultPipe(): string {
    return this.options.resultPipe;
  }

  get spillDirectory(): string {
    return this.options.spillDirectory;
  }

  send(message: ToExecutor): void {
    if (this.process.connected) this.process.send(message);
  }

  kill(): void {
    this.killedByUs = true;
    this.process.kill('SIGKILL');
  }

  usage(): ProcessUsage {
    if (this.state !== 'gone') this.lastUsage = readProcessUsage(this.pid) ?? this.lastUsage;
    return this.lastUsage;
  }

  assign(work: ExecutorWork): void {
    this.state = 'busy';
    this.tasksRun++;
    this.spares--;
    this.active = work;
    this.aliveTimer = setInterval(() => this.send({ kind: 'alive' }), ALIVE_MS).unref();
  }

  private receive(message: FromExecutor): void {
    if (message.kind === 'ready') {
      void this.pipeMade.then(() => this.ready(message.spares));
      return;
    }
    this.active?.handle(message);
    if (message.kind !== 'ended' && message.kind !== 'failed') return;
    this.active = undefined;
    clearInterval(this.aliveTimer);
    this.state = 'starting';
    if (message.kind === 'failed' && message.broken) this.kill();
    this.options.changed(this);
  }

  private ready(spares: number): void {
    this.spares = spares;
    // One that is busy or idle has only opened one more.
    if (this.state !== 'starting' || this.killedByUs) return;
    this.state = 'idle';
    this.wasReady = true;
    this.options.changed(this);
  }

  private closed(code: number | null, signal: NodeJS.Signals | null): void {
    this.usage();
    clearInterval(this.aliveTimer);
    this.state = 'gone';
    rmSync(this.options.resultPipe, { force: true });
    const how = signal === null ? `exit code ${code}` : signal;
    if (!this.killedByUs) this.options.log.error('executor-crashed', { pid: this.pid, how, stderr: this.stderr });
    this.active?.processEnded(how);
    this.options.changed(this);
  }
}

/** Forks a program that gets nothing of ours but a channel: no environment, no standard input, no terminal. */
export function forkIsolated(path: string, directory: string): ChildProcess {
  return fork(path, [], {
    cwd: directory,
    // Each running statement takes a thread of libuv; the default of four would do for one task, but not by much.
    env: { UV_THREADPOOL_SIZE: '8', NODE_ENV: 'production' },
    execArgv: ['--max-old-space-size=512', '--enable-source-maps'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
