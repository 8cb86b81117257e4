// Loads a configuration: defaults < file (--config) < environment < command line. All that is wrong is reported at once,
// each problem with the place where the value came from.
import convict from 'convict';
import { addFormats } from './config-formats.js';
import { helpText } from './config-help.js';
import { type FlatSetting, flattenSettings, nest } from './config-names.js';
import { readArguments, readEnvironment, readFile, type Source } from './config-sources.js';
import type { ConfigOf, Settings } from './settings.js';

/** The configuration is wrong; `problems` has one line for each thing to mend. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** Somebody asked for --help; `text` is the answer. */
export class HelpRequested extends Error {
  override readonly name = 'HelpRequested';
  constructor(readonly text: string) {
    super('help requested');
  }
}

/** Somebody asked with --check-config whether the configuration is right, and it is. */
export class ConfigAccepted extends Error {
  override readonly name = 'ConfigAccepted';
  /** `warnings`: what it allows, and what is rarely meant. */
  constructor(warnings: readonly string[] = []) {
    super(['the configuration is right', ...warnings.map((warning) => `  - warning: ${warning}`)].join('\n'));
  }
}

export interface LoadConfigOptions<S> {
  /** The arguments after the program's name: process.argv.slice(2). */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What must hold between settings: a sentence that names them, and whether it holds. */
  readonly relations?: (config: ConfigOf<S>) => Readonly<Record<string, boolean>>;
  /** What is rarely meant, a sentence each: shown by --check-config. The program logs them at its start. */
  readonly warnings?: (config: ConfigOf<S>) => readonly string[];
  readonly program: string;
}

/** Names that belong to the command line client and the tools, and may be set in the shell that starts a node. */
const CLIENT_ENVIRONMENT = ['TUTTI_SERVER', 'TUTTI_USER', 'TUTTI_ROOT'];

/** Loads and checks a configuration. Throws ConfigError with every problem, HelpRequested or ConfigAccepted. */
export function loadConfig<S extends Settings>(schema: S, options: LoadConfigOptions<S>): ConfigOf<S> {
  const settings = flattenSettings(schema);
  const args = readArguments(options.argv, settings);
  if (args.help) throw new HelpRequested(helpText(options.program, settings));
  const environment = readEnvironment(options.env, settings, CLIENT_ENVIRONMENT);
  const file = readFile(args.configFile ?? options.env['TUTTI_CONFIG'], settings);

  const sources = [file, environment, args];
  const problems = sources.flatMap((source) => source.problems);
  const { values, invalid } = validate(settings, sources);
  problems.push(...invalid);
  const config = nest(values) as ConfigOf<S>;
  if (invalid.length === 0) {
    // Relations are computed from valid values only: a comparison with a wrong one would say nothing.
    for (const [sentence, holds] of Object.entries(options.relations?.(config) ?? {})) {
      if (!holds) problems.push(sentence);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  if (args.checkOnly) throw new ConfigAccepted(options.warnings?.(config));
  return config;
}

function validate(settings: readonly FlatSetting[], sources: readonly Source[]) {
  addFormats();
  const values = new Map<string, unknown>();
  const invalid: string[] = [];
  for (const setting of settings) {
    const { path } = setting;
    const source = sources.findLast((candidate) => candidate.values.has(path));
    // One convict per setting: its own merge knows neither groups with a member called `default` nor where a value is from.
    const one = convict<{ value: unknown }>(
      { value: { format: setting.format as string, default: setting.default, doc: setting.doc } },
      { env: {}, args: [] },
    );
    if (source !== undefined) one.set('value', source.values.get(path));
    try {
      one.validate({ allowed: 'strict' });
      values.set(path, one.get('value'));
    } catch (error) {
      invalid.push(explain(setting, source, (error as Error).message));
    }
  }
  return { values, invalid };
}

function explain(setting: FlatSetting, source: Source | undefined, message: string): string {
  const rule = message.replace(/^value: /, '').replace(/: value was [^]*$/, '');
  if (source === undefined) return `${setting.path}: ${rule} (set --${setting.arg} or ${setting.env})`;
  const shown = setting.sensitive === true ? '' : `: value was ${JSON.stringify(source.values.get(setting.path))}`;
  return `${setting.path}: ${rule}${shown} (from ${source.nameOf(setting)})`;
}
