import { OutputClosedError } from '../failures.js';
import { NO_COLOURS } from '../output/styles.js';
import type { Terminal } from '../terminal.js';

/** Streams in memory: pipes unless a test says that they are terminals. */
export class FakeTerminal implements Terminal {
  stdout = '';
  stderr = '';
  env: Readonly<Record<string, string | undefined>> = {};
  input = '';
  stdinIsTerminal = false;
  stdoutIsTerminal = false;
  stdoutIsFile = false;
  stderrIsTerminal = false;
  readonly stdoutStyles = NO_COLOURS;
  readonly stderrStyles = NO_COLOURS;
  private readonly closed = new AbortController();
  readonly outputClosed = this.closed.signal;

  constructor(
    given: Partial<
      Pick<FakeTerminal, 'env' | 'input' | 'stdinIsTerminal' | 'stdoutIsTerminal' | 'stdoutIsFile' | 'stderrIsTerminal'>
    > = {},
  ) {
    Object.assign(this, given);
  }

  /** The reader of standard output goes away. */
  closeOutput(): void {
    this.closed.abort(new OutputClosedError('standard output is closed'));
  }

  width(): number {
    return 80;
  }

  async write(piece: string | Uint8Array): Promise<void> {
    this.outputClosed.throwIfAborted();
    this.stdout += typeof piece === 'string' ? piece : Buffer.from(piece).toString('latin1');
  }

  writeError(text: string): void {
    this.stderr += text;
  }

  async readInput(): Promise<string> {
    return this.input;
  }
}
