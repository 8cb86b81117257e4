import { readFileSync } from 'node:fs';
import { parse as parseYaml } from 'yaml';
import { nearestName } from '@tutti/base';
import type { FlatSetting } from './config-names.js';

/** Values that one place gives, by path, and what is wrong with the place itself. */
export interface Source {
  readonly values: ReadonlyMap<string, unknown>;
  readonly problems: readonly string[];
  /** How a problem names where the value of a setting came from. */
  nameOf(setting: FlatSetting): string;
}

/** Reads `--name value`, `--name=value` and, for flags, `--name`. */
export function readArguments(
  argv: readonly string[],
  settings: readonly FlatSetting[],
): Source & { readonly help: boolean; readonly checkOnly: boolean; readonly configFile: string | undefined } {
  const byArg = new Map(settings.map((setting) => [setting.arg, setting]));
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  let help = false;
  let checkOnly = false;
  let configFile: string | undefined;
  const rest = [...argv];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    if (argument === '--help' || argument === '-h') {
      help = true;
      continue;
    }
    if (argument === '--check-config') {
      checkOnly = true;
      continue;
    }
    const [, name = '', inline] = /^--([^=]+)(?:=([^]*))?$/.exec(argument) ?? [];
    const setting = byArg.get(name);
    if (setting === undefined && name !== 'config') {
      problems.push(
        `unknown argument ${argument}${suggestion(name, [...byArg.keys(), 'config', 'check-config', 'help'], '--')}`,
      );
      // What follows an unknown flag is most likely its value: one mistake, one problem.
      if (name !== '' && inline === undefined && rest[0]?.startsWith('-') === false) rest.shift();
      continue;
    }
    const alone = inline === undefined && (rest[0] === undefined || rest[0].startsWith('--'));
    if (alone && setting?.format !== 'tutti-flag') {
      problems.push(`--${name} needs a value`);
      continue;
    }
    const value = alone ? 'true' : (inline ?? rest.shift() ?? '');
    if (setting === undefined) configFile = value;
    else if (values.has(setting.path)) problems.push(`--${name} is given twice`);
    else values.set(setting.path, value);
  }
  return { values, problems, help, checkOnly, configFile, nameOf: (setting) => `--${setting.arg}` };
}

/** Variables that Kubernetes sets for every Service of a namespace, such as TUTTI_COORDINATOR_SERVICE_HOST. */
const SERVICE_LINK = /_SERVICE_(HOST|PORT)(_\w+)?$|_PORT_\d+_(TCP|UDP)(_\w+)?$/;
const SERVICE_LINK_VALUE = /^(tcp|udp):\/\//;

/** Reads the variables of the settings; other names that start with TUTTI_ are problems. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  settings: readonly FlatSetting[],
  ignored: readonly string[],
): Source {
  const byEnv = new Map(settings.map((setting) => [setting.env, setting]));
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !name.startsWith('TUTTI_') || name === 'TUTTI_CONFIG' || ignored.includes(name))
      continue;
    const setting = byEnv.get(name);
    if (setting !== undefined) values.set(setting.path, value);
    else if (!SERVICE_LINK.test(name) && !SERVICE_LINK_VALUE.test(value)) {
      problems.push(`unknown environment variable ${name}${suggestion(name, [...byEnv.keys()])}`);
    }
  }
  return { values, problems, nameOf: (setting) => setting.env };
}

/** Reads a JSON or YAML file; no file at all when `path` is undefined. */
export function readFile(path: string | undefined, settings: readonly FlatSetting[]): Source {
  const values = new Map<string, unknown>();
  const problems: string[] = [];
  const source = { values, problems, nameOf: () => path ?? '' };
  if (path === undefined || path === '') return source;
  let content: unknown;
  try {
    const text = readFileSync(path, 'utf8');
    content = path.endsWith('.json') ? JSON.parse(text) : parseYaml(text);
  } catch (error) {
    problems.push(`${path}: cannot be read: ${(error as Error).message.split('\n')[0]}`);
    return source;
  }
  if (content === null || content === undefined) return source;
  const byPath = new Map(settings.map((setting) => [setting.path, setting]));
  collect(content, '', path, byPath, values, problems);
  return source;
}

function collect(
  node: unknown,
  prefix: string,
  file: string,
  byPath: ReadonlyMap<string, FlatSetting>,
  values: Map<string, unknown>,
  problems: string[],
): void {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    problems.push(`${prefix === '' ? 'the file' : prefix.slice(0, -1)} must be a group of settings (from ${file})`);
    return;
  }
  for (const [name, value] of Object.entries(node)) {
    const path = prefix + name;
    const setting = byPath.get(path);
    if (setting !== undefined) {
      const needsUnit = setting.format === 'tutti-duration' || setting.format === 'tutti-size';
      // A bare number would silently be read as milliseconds or bytes; as a text it is refused with an explanation.
      values.set(path, needsUnit && typeof value === 'number' ? String(value) : value);
    } else if ([...byPath.keys()].some((known) => known.startsWith(`${path}.`))) {
      collect(value, `${path}.`, file, byPath, values, problems);
    } else {
      problems.push(`unknown setting ${path}${suggestion(path, [...byPath.keys()])} (from ${file})`);
    }
  }
}

function suggestion(name: string, known: readonly string[], prefix = ''): string {
  const meant = nearestName(name, known);
  return meant === undefined ? '' : `: did you mean ${prefix}${meant}?`;
}
