import { createRouterTransport, type Transport } from '@connectrpc/connect';
import { type Clock, systemClock } from '@tutti/base';
import type { Routes } from '@tutti/service';
import { runProgram } from '../program.js';
import { FakeTerminal } from './fake-terminal.js';

/** Runs a command line against a server in this process: the same for every URL, unless `open` says otherwise. */
export async function runInMemory(
  argv: readonly string[],
  options: {
    readonly routes?: Routes;
    readonly terminal?: FakeTerminal;
    readonly clock?: Clock;
    readonly interrupt?: AbortSignal;
    readonly open?: (url: string) => Transport;
  } = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const terminal = options.terminal ?? new FakeTerminal();
  const routes = options.routes ?? (() => undefined);
  const open = options.open ?? (() => inMemory(routes));
  const exitCode = await runProgram(argv, {
    terminal,
    clock: options.clock ?? systemClock,
    open: (url) => ({ ...open(url), close: () => undefined }),
    interrupt: options.interrupt ?? new AbortController().signal,
  });
  return { exitCode, stdout: terminal.stdout, stderr: terminal.stderr };
}

/** A transport to services in this process. */
export const inMemory = (routes: Routes): Transport =>
  createRouterTransport((router) =>
    routes({ service: (service, implementation) => void router.service(service, implementation) }, NEVER),
  );

const NEVER = new AbortController().signal;
