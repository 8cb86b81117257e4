// The settings of a session: how its queries run. Pure.
//   P1. Values are checked where they come in; what a QuerySession holds is right, and spelled in one way.
//   P2. What a session does not set is as the coordinator is configured.
import { nearestName } from '@tutti/base';
import type { DistributionSettings } from './stage-settings.js';

/** Settings of a session by name. */
export type SessionProperties = Readonly<Record<string, string>>;

/** What a statement changes for the statements after it. */
export interface SessionChange {
  readonly set: SessionProperties;
  readonly reset: readonly string[];
}

/** One setting, as SHOW SESSION shows it. */
export interface SessionProperty {
  readonly name: string;
  /** What may be written, for people. */
  readonly allowed: string;
  readonly help: string;
}

interface Property extends SessionProperty {
  /** What a value means; undefined for one that is not allowed. */
  readonly parse: (text: string) => Partial<DistributionSettings> | undefined;
  readonly valueIn: (settings: DistributionSettings) => string | number | boolean;
}

/** Least and most tasks of a stage on one worker. */
export const TASKS_PER_WORKER = { least: 1, most: 64 } as const;
/** So many rows of one task are as good as all rows. */
export const TASK_ROWS_MAX = 1_000_000_000_000;
/** More rows than this are never copied to every task. */
export const COPIED_ROWS_MAX = 1_000_000_000;

const PROPERTIES: readonly Property[] = [
  {
    name: 'distribution',
    ...oneOf('distribution', ['auto', 'single', 'forced']),
    help: 'auto: a query runs in stages on several workers where that pays; single: whole on one worker; forced: in stages whenever that is possible',
  },
  {
    name: 'tasks_per_worker',
    ...countOf('tasksPerWorker', TASKS_PER_WORKER.least, TASKS_PER_WORKER.most),
    help: 'Most tasks into which a stage is divided, for each worker that takes part',
  },
  {
    name: 'task_rows',
    ...countOf('taskRows', 0, TASK_ROWS_MAX),
    help: 'A stage has one task for each worker, and more of them where these would read more rows than this; 0: always tasks_per_worker',
  },
  {
    name: 'broadcast_rows_max',
    ...countOf('broadcastRowsMax', 0, COPIED_ROWS_MAX),
    help: 'One side of a join of at most this many rows is copied to every task; otherwise both sides are divided by the join keys',
  },
  {
    name: 'replicated_rows_max',
    ...countOf('replicatedRowsMax', 0, COPIED_ROWS_MAX),
    help: 'A table of at most this many rows is read whole by every task that needs it',
  },
  {
    name: 'adaptive',
    allowed: 'true or false',
    parse: (text) => (text === 'true' ? { isAdaptive: true } : text === 'false' ? { isAdaptive: false } : undefined),
    valueIn: ({ isAdaptive }) => isAdaptive,
    help: 'Whether the smaller side of a join runs first, so that its real size decides how the other one is read',
  },
  {
    name: 'exchange_compression',
    ...oneOf('exchangeCompression', ['none', 'lz4', 'zstd']),
    help: 'How rows that go from stage to stage are compressed',
  },
];

export const SESSION_PROPERTIES: readonly SessionProperty[] = PROPERTIES;

type ChoiceKey = 'distribution' | 'exchangeCompression';
type CountKey = 'tasksPerWorker' | 'taskRows' | 'broadcastRowsMax' | 'replicatedRowsMax';

function oneOf<Key extends ChoiceKey>(key: Key, values: readonly DistributionSettings[Key][]) {
  return {
    allowed: `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`,
    parse: (text: string): Partial<DistributionSettings> | undefined => {
      const value = values.find((one) => one === text);
      return value === undefined ? undefined : { [key]: value };
    },
    valueIn: (settings: DistributionSettings) => settings[key],
  };
}

function countOf(key: CountKey, least: number, most: number) {
  return {
    allowed: `a whole number from ${least} to ${most}`,
    parse: (text: string): Partial<DistributionSettings> | undefined => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
      return value >= least && value <= most ? { [key]: value } : undefined;
    },
    valueIn: (settings: DistributionSettings) => settings[key],
  };
}

/** What becomes of a name or value from outside; `problem` is for people. */
export type Checked<T> = { readonly ok: T } | { readonly problem: string };

/** The name of a setting, however its letters are written. */
export function checkPropertyName(name: string): Checked<string> {
  const property = propertyOf(name);
  if (property !== undefined) return { ok: property.name };
  const names = PROPERTIES.map((one) => one.name);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `There are: ${names.join(', ')}.` : `Did you mean "${nearest}"?`;
  return { problem: `There is no setting "${shortened(name)}" of sessions. ${hint} SHOW SESSION lists them.` };
}

/** One setting, its name and value spelled as they are kept (P1). */
export function checkProperty(name: string, value: string): Checked<{ readonly name: string; readonly value: string }> {
  const checked = checkPropertyName(name);
  const property = propertyOf(name);
  if (property === undefined || 'problem' in checked) return checked as Extract<typeof checked, { problem: string }>;
  const text = value.trim().toLowerCase();
  const meaning = property.parse(text);
  if (meaning !== undefined) return { ok: { name: property.name, value: String(Object.values(meaning)[0]) } };
  return { problem: `The setting ${property.name} must be ${property.allowed}; it is "${shortened(value)}".` };
}

/** How queries of a session run on several workers, from checked settings (P2). */
export function distributionSettings(
  properties: SessionProperties,
  defaults: DistributionSettings,
): DistributionSettings {
  const set = Object.entries(properties).map(([name, value]) => propertyOf(name)?.parse(value));
  return Object.assign({ ...defaults }, ...set) as DistributionSettings;
}

/** The value of a setting, as SHOW SESSION shows it. */
export const propertyValue = (name: string, settings: DistributionSettings): string =>
  String(propertyOf(name)?.valueIn(settings) ?? '');

const propertyOf = (name: string): Property | undefined =>
  PROPERTIES.find((property) => property.name === name.trim().toLowerCase());

const TEXT_LENGTH_MAX = 100;
const shortened = (text: string): string =>
  text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX - 1)}…`;
