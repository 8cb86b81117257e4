#!/usr/bin/env node
// The `tutti` command: wiring of the process around program.ts.
import { systemClock } from '@tutti/base';
import { createEdgeTransport } from '@tutti/service';
import { EXIT } from './failures.js';
import { runProgram } from './program.js';
import { processTerminal } from './terminal.js';

const interrupt = new AbortController();
for (const [signal, exitCode] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', EXIT.terminated],
] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(exitCode);
    interrupt.abort(exitCode);
  });
}

const terminal = processTerminal();
const exitCode = await runProgram(process.argv.slice(2), {
  terminal,
  clock: systemClock,
  open: (url) => createEdgeTransport({ url }),
  interrupt: interrupt.signal,
});
await terminal.flush();
process.exit(exitCode);
