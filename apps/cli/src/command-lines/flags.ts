// Options that several commands have, and the parsers of their values.
import { userInfo } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationMs, parseSizeBytes } from '@tutti/base';
import type { Context, ListFormat } from '../commands/context.js';
import type { Estimates, Identity } from '../commands/identity.js';
import type { Terminal } from '../terminal.js';

/** Gives a command's action what it works with, and closes the connections after it. */
export type Run = (action: (context: Context) => Promise<void>) => Promise<void>;

/** The flags of every command that shows something. */
export interface ListFlags {
  output: ListFormat;
}

export const listOutput = () =>
  new Option('-o, --output <format>', 'how to print').choices(['table', 'json']).default('table');

/** The flags that say who asks. */
export interface IdentityFlags {
  user: string;
  source: string;
  principal?: string;
  clientInfo?: string;
  clientTags?: string[];
  resourceEstimate?: Estimates;
  schema?: string;
}

/** The options that say who asks, which selectors of resource groups look at. */
export const identityOptions = ({ env }: Terminal): Option[] =>
  [
    new Option('--user <name>', 'user (env TUTTI_USER)').default(env['TUTTI_USER'] || systemUser()),
    new Option('--source <name>', 'program').default('tutti-cli'),
    new Option('--principal <name>', 'authenticated identity'),
    new Option('--client-info <text>', 'free text'),
    new Option('--client-tags <tags>', 'tags with commas between').argParser(parseTags),
    new Option('--schema <name>', 'schema of unqualified table names (default: main)'),
    new Option(
      '--resource-estimate <estimates>',
      'what it may take, for example execution-time=5m,cpu-time=1h,peak-memory=2GB',
    ).argParser(parseEstimates),
  ].map((option) => option.helpGroup('Who asks, and for what (resource groups can select by it):'));

export const identityOf = (flags: IdentityFlags): Identity => ({
  user: flags.user,
  source: flags.source,
  principal: flags.principal ?? '',
  clientInfo: flags.clientInfo ?? '',
  clientTags: flags.clientTags ?? [],
  schema: flags.schema ?? '',
  estimates: flags.resourceEstimate,
});

/** Adds options to a command, in order. */
export function withOptions(command: Command, options: readonly Option[]): Command {
  for (const option of options) command.addOption(option);
  return command;
}

export function parseDuration(text: string): number {
  const ms = parseDurationMs(withoutMinus(text));
  if (ms === undefined) throw new InvalidArgumentError('Write it with a unit, for example 30s, 5m or 500ms.');
  if (ms <= 0 || isNegative(text)) throw new InvalidArgumentError('Write more than 0, for example 30s, 5m or 500ms.');
  return ms;
}

export function parseSize(text: string): number {
  const bytes = Math.round(parseSizeBytes(withoutMinus(text)) ?? NaN);
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('Write it with a unit, for example 512MB or 4GB.');
  if (bytes < 1 || isNegative(text)) throw new InvalidArgumentError('Write more than 0, for example 512MB or 4GB.');
  return bytes;
}

/** What is wrong with "-1s" is not its unit. */
const isNegative = (text: string): boolean => text.trimStart().startsWith('-');
const withoutMinus = (text: string): string => text.replace(/^\s*-/, '');

const COUNT_MAX = 1_000_000_000;

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Write a whole number from 1.');
  if (count > COUNT_MAX) throw new InvalidArgumentError(`Write a whole number up to ${COUNT_MAX}.`);
  return count;
}

/** Texts with commas between; empty ones are left out. */
const parseTags = (text: string): string[] =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

const ESTIMATES_HELP = 'Write name=value with commas between; the names are execution-time, cpu-time and peak-memory.';

function parseEstimates(text: string): Estimates {
  return Object.assign({}, ...parseTags(text).map(parseEstimate)) as Estimates;
}

function parseEstimate(text: string): Estimates {
  const equals = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  // Presto's clients write EXECUTION_TIME.
  switch (name.trim().toLowerCase().replaceAll('_', '-')) {
    case 'execution-time':
      return { executionTimeMs: parseDuration(value) };
    case 'cpu-time':
      return { cpuTimeMs: parseDuration(value) };
    case 'peak-memory':
      return { peakMemoryBytes: parseSize(value) };
    default:
      throw new InvalidArgumentError(ESTIMATES_HELP);
  }
}

function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return ''; // A user id without a name, as containers have: the coordinator calls it anonymous.
  }
}
