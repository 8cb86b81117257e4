// Reads a resource-groups file on the operator's own machine, with the code that the nodes read theirs with.
import { readFileSync, statSync } from 'node:fs';
import { groupConfigVersion, type LoadedGroups } from '@tutti/group-file';
import { parseGroupConfig } from '@tutti/resource-groups';
import type { Context } from './commands/context.js';
import { InterruptedError, UsageError } from './failures.js';

/** One thing that is wrong or doubtful with a file. Line and column count from 1; null when the problem has no place. */
export interface FileProblem {
  readonly line: number | null;
  readonly column: number | null;
  /** What is wrong, often with the path of the value before it. */
  readonly message: string;
}

/** A file that was read: what it says, with what will hardly do what was meant, or all that is wrong with it. */
export type ReadGroups =
  | { readonly ok: LoadedGroups; readonly warnings: readonly FileProblem[] }
  | { readonly problems: readonly FileProblem[] };

/** What the nodes take at most. */
const FILE_BYTES_MAX = 10 * 2 ** 20;

/** Reads the groups of a file; "-" is standard input. Throws UsageError when it cannot be read at all. */
export async function readGroupsFile(file: string, context: Context): Promise<ReadGroups> {
  const text = file === '-' ? await readInput(context) : readFile(file);
  if (text === undefined) return { problems: [{ line: null, column: null, message: 'is larger than 10 MiB' }] };
  const parsed = parseGroupConfig(text);
  if ('problems' in parsed) return { problems: parsed.problems.map(decodeProblem) };
  const warnings = parsed.warnings.map(decodeProblem);
  return { ok: { config: parsed.ok, version: groupConfigVersion(text) }, warnings };
}

/** As compilers print them: "groups.json:8:6: ...", which editors can jump to. `kind` stands before each message. */
export const problemLines = (file: string, problems: readonly FileProblem[], kind = ''): string[] =>
  problems.map(
    ({ line, column, message }) => `${fileName(file)}${line === null ? '' : `:${line}:${column}`}: ${kind}${message}`,
  );

/** A file as messages name it. */
export const fileName = (file: string): string => (file === '-' ? 'standard input' : file);

function decodeProblem(text: string): FileProblem {
  const [, line, column, message] = /^line (\d+):(\d+): (.*)$/s.exec(text) ?? [];
  if (message === undefined) return { line: null, column: null, message: text };
  return { line: Number(line), column: Number(column), message };
}

/** Undefined: it is too large. */
async function readInput({ terminal, interrupt }: Context): Promise<string | undefined> {
  try {
    const text = await terminal.readInput(interrupt);
    return Buffer.byteLength(text) > FILE_BYTES_MAX ? undefined : text;
  } catch (error) {
    if (interrupt.aborted) throw new InterruptedError('interrupted', Number(interrupt.reason));
    throw error;
  }
}

/** Undefined: it is too large. */
function readFile(path: string): string | undefined {
  try {
    return statSync(path).size > FILE_BYTES_MAX ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the file of resource groups: ${(error as Error).message}`);
  }
}
