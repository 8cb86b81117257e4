import { readFileSync, statSync } from 'node:fs';
import { FailedQuietlyError, InterruptedError, RequestFailedError, UsageError } from '../failures.js';
import type { StatementSource } from '../output/error-text.js';
import { reportRequestFailure } from '../report.js';
import { type Statement, splitStatements } from '../statement-splitter.js';
import type { Context } from './context.js';
import { ResultSink } from './result-sink.js';
import { runStatement, type StatementOptions } from './run-statement.js';
import { SessionSettings } from './session-settings.js';

/** Where the statements come from, and what to do when one fails. */
export interface SqlInput {
  readonly statement: string | undefined;
  /** A path, or "-" for standard input. */
  readonly file: string | undefined;
  readonly ignoreErrors: boolean;
}

/** How the statements are run, and where their results go. */
export interface SqlOptions extends Omit<StatementOptions, 'session' | 'sink'> {
  /** Settings of the session before the first statement. */
  readonly properties: Readonly<Record<string, string>>;
  /** Undefined: standard output. */
  readonly outputFile: string | undefined;
}

/** Runs the statements of the input one after another; the first that fails ends the command unless told otherwise. */
export async function sqlCommand(input: SqlInput, options: SqlOptions, context: Context): Promise<void> {
  const { text, fileName } = await readSql(input, context);
  const statements = splitStatements(text);
  if (statements.length === 0) throw new UsageError(`there is no statement in ${fileName ?? 'the input'}`);
  const sink = await ResultSink.open(options.format, options.outputFile, context.terminal);
  const session = new SessionSettings(options.properties);
  const run = (statement: Statement) => runStatement(statement.text, { ...options, session, sink }, context);
  let isWhole = false;
  let failures = 0;
  try {
    for (const statement of statements) {
      try {
        await run(statement);
      } catch (error) {
        if (!(error instanceof RequestFailedError)) throw error;
        reportRequestFailure(error, context.terminal, sourceOf(statement, text, fileName));
        failures += 1;
        if (!input.ignoreErrors) break;
      }
    }
    isWhole = failures === 0 || input.ignoreErrors;
  } finally {
    await sink.close(isWhole);
  }
  if (failures > 0) throw new FailedQuietlyError(`${failures} failed`);
}

async function readSql(
  input: SqlInput,
  { terminal, interrupt }: Context,
): Promise<{ text: string; fileName: string | undefined }> {
  const { statement, file } = input;
  if (statement !== undefined && file !== undefined)
    throw new UsageError('give either a statement or --file, not both');
  if (statement !== undefined) return { text: statement, fileName: undefined };
  if (file !== undefined && file !== '-') return { text: readSqlFile(file), fileName: file };
  if (terminal.stdinIsTerminal && file === undefined)
    throw new UsageError(
      'no statement: write it in quotes (tutti sql "SELECT 1"), name a file with -f FILE, or pipe it in',
    );
  try {
    return { text: await terminal.readInput(interrupt), fileName: undefined };
  } catch (error) {
    if (interrupt.aborted) throw new InterruptedError('interrupted', Number(interrupt.reason));
    throw error;
  }
}

const FILE_BYTES_MAX = 64 * 2 ** 20;

function readSqlFile(path: string): string {
  let text: string;
  try {
    if (statSync(path).size > FILE_BYTES_MAX) throw new Error(`${path} is larger than 64 MiB`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read the file of --file: ${(error as Error).message}`);
  }
  return text.replace(/^\uFEFF/, '');
}

function sourceOf(statement: Statement, text: string, fileName: string | undefined): StatementSource {
  const indent = text.slice(text.lastIndexOf('\n', statement.offset - 1) + 1, statement.offset);
  return { text: statement.text, fileName, line: statement.line, indent };
}
