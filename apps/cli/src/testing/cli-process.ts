import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';

/** The program as users run it: one bundled file in a folder of its own, started as a process. */
export class CliProcesses {
  private readonly folder = mkdtempSync(join(tmpdir(), 'tutti-cli-'));

  constructor() {
    const root = resolve(__dirname, '../../../..');
    execFileSync(process.execPath, ['tools/bundle.mjs', 'apps/cli', this.folder], { cwd: root });
  }

  start(
    argv: readonly string[],
    options: { readonly input?: string; readonly inputStaysOpen?: boolean } = {},
  ): CliProcess {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TUTTI_')));
    const child = spawn(process.execPath, [join(this.folder, 'main.mjs'), ...argv], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
    });
    if (!options.inputStaysOpen) child.stdin.end(options.input ?? '');
    return new CliProcess(child);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A running program. */
export class CliProcess {
  stdout = '';
  stderr = '';
  /** The exit code, once the process has ended. */
  readonly exitCode: Promise<number | null>;

  constructor(readonly child: ChildProcessByStdio<Writable, Readable, Readable>) {
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.exitCode = new Promise((done, fail) => child.once('close', done).once('error', fail));
  }

  /** Resolves when standard error holds `text`; fails when the process ends before. */
  untilStderr(text: string): Promise<void> {
    return this.untilData(this.child.stderr, () => this.stderr.includes(text));
  }

  /** Resolves when the process reads its standard input: it is sent more than a pipe holds. */
  untilReading(): Promise<void> {
    this.child.stdin.on('error', () => undefined); // The process ends without reading the rest.
    return new Promise((done) => this.child.stdin.write(' '.repeat(4 * 2 ** 20), () => done()));
  }

  /** Resolves when standard output holds something. */
  untilStdout(): Promise<void> {
    return this.untilData(this.child.stdout, () => this.stdout !== '');
  }

  private untilData(stream: Readable, holds: () => boolean): Promise<void> {
    return new Promise((done, fail) => {
      const check = () => void (holds() && done());
      check();
      stream.on('data', check);
      this.child.once('close', () => fail(new Error(`ended too early: ${this.stderr}`)));
    });
  }
}
