import { type Clock, type Random, jittered, sleep } from '@tutti/base';
import { ConfigAccepted, ConfigError, HelpRequested } from './config.js';
import { PortTakenError } from './listen.js';
import type { Log } from './log.js';
import { stackOf, translateStacksLate } from './stacks.js';

/**
 * Aborts when the node is asked to stop: by SIGTERM or SIGINT (a second one ends the process), or, where
 * `node.exitWithStdin` is set, by the end of standard input, which comes even when the starting program is killed.
 */
export function untilStopped(config: { readonly node: { readonly exitWithStdin: boolean } }): AbortSignal {
  if (stopped !== undefined) return stopped;
  const controller = new AbortController();
  stopped = controller.signal;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_SECOND_SIGNAL);
      controller.abort(name);
    });
  }
  if (config.node.exitWithStdin) {
    process.stdin.once('close', () => controller.abort('standard input ended')).resume();
  }
  return controller.signal;
}

/** A process is stopped once, however often its program begins again. */
let stopped: AbortSignal | undefined;

const EXIT_SECOND_SIGNAL = 130;

/** Resolves when `signal` aborts; at once when it has. Never rejects. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/**
 * Runs `run` after each interval until `signal` aborts; resolves then. Runs never overlap: the next interval begins when
 * a run has ended. A run that throws is logged as `loop-failed` and the loop goes on.
 */
export async function every(options: {
  readonly intervalMs: number;
  /** The part of the interval by which it varies to either side, 0 to 1; so that nodes do not act in step. */
  readonly jitter?: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly run: () => void | Promise<void>;
  readonly log: Log;
}): Promise<void> {
  const { intervalMs, jitter = 0, clock, random, signal, run, log } = options;
  for (;;) {
    await sleep(clock, jitter === 0 ? intervalMs : jittered(random, intervalMs, jitter), signal);
    if (signal.aborted) return;
    try {
      await run();
    } catch (error) {
      log.error('loop-failed', { error });
    }
  }
}

/**
 * Runs a program to its end and exits: 0 when `main` returns, or only help or a check was asked for; 2 for a wrong
 * configuration (all problems are printed); 1 for anything else. Where `main` returns 'again' it is run again, as a restart
 * of the process would.
 */
export async function runMain(name: string, main: () => Promise<void | 'again'>): Promise<never> {
  translateStacksLate();
  try {
    while ((await main()) === 'again');
  } catch (error) {
    const { exitCode, text } = explainEnd(name, error);
    (exitCode === 0 ? process.stdout : process.stderr).write(`${text}\n`);
    process.exit(exitCode);
  }
  process.exit(0);
}

/** What a program prints, and its exit code, when its main function threw `error`. */
export function explainEnd(name: string, error: unknown): { exitCode: number; text: string } {
  if (error instanceof HelpRequested) return { exitCode: 0, text: error.text };
  if (error instanceof ConfigAccepted) return { exitCode: 0, text: `${name}: ${error.message}` };
  if (error instanceof ConfigError) {
    const problems = error.problems.map((problem) => `  - ${problem}`);
    return {
      exitCode: 2,
      text: [`${name}: the configuration is wrong:`, ...problems, `Try ${name} --help`].join('\n'),
    };
  }
  if (error instanceof PortTakenError) return { exitCode: 1, text: `${name}: ${error.message}` };
  return { exitCode: 1, text: `${name}: ${error instanceof Error ? stackOf(error) : String(error)}` };
}
