import { fstatSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { OutputClosedError, OutputFailedError, UsageError } from './failures.js';
import { COLOURS, NO_COLOURS, type Styles } from './output/styles.js';

/** The outside of the program: its streams and what they are connected to. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  /** Standard output goes into a file, and so to no terminal. */
  readonly stdoutIsFile: boolean;
  readonly stderrIsTerminal: boolean;
  readonly stdoutStyles: Styles;
  readonly stderrStyles: Styles;
  /** Width of standard error in cells; 80 when it is no terminal. */
  width(): number;
  /** Aborts when nobody reads standard output any more. */
  readonly outputClosed: AbortSignal;
  /** Writes to standard output; resolves when there is room for more, or when `signal` aborts. */
  write(piece: string | Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** All of standard input. Throws when `signal` aborts. */
  readInput(signal: AbortSignal): Promise<string>;
}

const INPUT_BYTES_MAX = 64 * 2 ** 20;
const DEFAULT_WIDTH = 80;

/** The streams of this process. */
export function processTerminal(): Terminal & { flush(): Promise<void> } {
  const { stdin, stdout, stderr, env } = process;
  const closed = new AbortController();
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    closed.abort(
      error.code === 'EPIPE'
        ? new OutputClosedError('standard output is closed')
        : new OutputFailedError(`cannot write to standard output: ${error.message}`),
    );
  });
  // Without a reader for standard error there is nobody to tell.
  stderr.on('error', () => undefined);
  return {
    env,
    stdinIsTerminal: stdin.isTTY,
    stdoutIsTerminal: stdout.isTTY,
    stdoutIsFile: fstatSync(stdout.fd).isFile(),
    stderrIsTerminal: stderr.isTTY && env['TERM'] !== 'dumb',
    stdoutStyles: wantsColours(stdout.isTTY, env) ? COLOURS : NO_COLOURS,
    stderrStyles: wantsColours(stderr.isTTY, env) ? COLOURS : NO_COLOURS,
    width: () => stderr.columns || DEFAULT_WIDTH,
    outputClosed: closed.signal,
    async write(piece, signal) {
      closed.signal.throwIfAborted();
      if (piece.length === 0 || stdout.write(piece)) return;
      await roomIn(stdout, AbortSignal.any(signal === undefined ? [closed.signal] : [closed.signal, signal]));
      closed.signal.throwIfAborted();
    },
    writeError: (text) => void stderr.write(text),
    async readInput(signal) {
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of addAbortSignal(signal, stdin) as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > INPUT_BYTES_MAX) throw new UsageError('standard input holds more than 64 MiB of SQL');
        chunks.push(chunk);
      }
      return Buffer.concat(chunks).toString('utf8');
    },
    async flush() {
      await Promise.all([stdout, stderr].map((stream) => new Promise<void>((done) => stream.write('', () => done()))));
    },
  };
}

/** Colours are for terminals whose user did not say no (https://no-color.org). */
const wantsColours = (isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): boolean =>
  isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';

function roomIn(stream: NodeJS.WriteStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    stream.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
