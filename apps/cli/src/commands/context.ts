import type { Clock } from '@tutti/base';
import type { Connection } from '../connection.js';
import type { Terminal } from '../terminal.js';

/** What every command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly connection: Connection;
  readonly clock: Clock;
  /** Aborts at the first Ctrl-C, with the exit code as its reason. */
  readonly interrupt: AbortSignal;
}

/** How the commands that show the cluster print. */
export type ListFormat = 'table' | 'json';

/** Prints a value as JSON for programs. */
export const printJson = (terminal: Terminal, value: unknown): Promise<void> =>
  terminal.write(`${JSON.stringify(value, null, 2)}\n`);
