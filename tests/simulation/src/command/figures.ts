import type { ScenarioName } from '../plans/scenarios.js';
import type { Mode } from '../world/planned.js';
import type { Outcome } from '../world/run-plan.js';

/** What is told of all runs of a scenario in a mode. */
export interface Row {
  readonly mode: Mode;
  readonly scenario: ScenarioName;
  readonly seeds: number;
  /** The most that ran in any group at any moment, as a part of its limit. */
  readonly peakOverLimit: number;
  /** How long some group was over its limit, in all runs together. */
  readonly secondsOverLimit: number;
  /** Of the slots that could be used while somebody waited, the part that was. */
  readonly utilization: number;
  /** How long queries waited for which there was room when they came; null when there were none. */
  readonly waitP50Ms: number | null;
  readonly waitP99Ms: number | null;
  /** Messages about admission, per coordinator. */
  readonly messagesPerSecond: number;
  /** The longest time from the end of an owner until slots were dealt again; null where none ended. */
  readonly redealMs: number | null;
  readonly violations: number;
}

/** A run in which something was violated that its mode promises. */
export interface Failure {
  readonly seed: number;
  readonly texts: readonly string[];
}

/** Sums over runs, which can be added up from several processes. */
export interface Sums {
  seeds: number;
  peakOverLimit: number;
  overLimitMs: number;
  usableSlotMs: number;
  usedSlotMs: number;
  slackWaitsMs: number[];
  messagesPerSecond: number;
  redealsMs: number[];
  violations: number;
  virtualMs: number;
  starts: number;
  failures: Failure[];
}

export const noSums = (): Sums => ({
  ...{ seeds: 0, peakOverLimit: 0, overLimitMs: 0, usableSlotMs: 0, usedSlotMs: 0, slackWaitsMs: [] },
  ...{ messagesPerSecond: 0, redealsMs: [], violations: 0, virtualMs: 0, starts: 0, failures: [] },
});

/** What a mode does not promise is a figure, no failure: only `leased` keeps every limit through everything. */
export const promises = (mode: Mode, rule: string): boolean => mode === 'leased' || rule !== 'A1';

export function addOutcome(sums: Sums, mode: Mode, seed: number, outcome: Outcome): void {
  sums.seeds++;
  sums.peakOverLimit = Math.max(sums.peakOverLimit, outcome.peakOverLimit);
  sums.overLimitMs += outcome.overLimitMs;
  sums.usableSlotMs += outcome.usableSlotMs;
  sums.usedSlotMs += outcome.usedSlotMs;
  for (const waitMs of outcome.slackWaitsMs) sums.slackWaitsMs.push(waitMs);
  sums.messagesPerSecond += outcome.messagesPerSecond;
  sums.redealsMs.push(...outcome.redealsMs);
  sums.violations += outcome.violationCount;
  sums.virtualMs += outcome.virtualMs;
  sums.starts += outcome.starts;
  const broken = outcome.violations.filter(({ rule }) => promises(mode, rule));
  const texts = broken.map(({ rule, atMs, text }) => `${rule} at ${(atMs / 1_000).toFixed(3)} s: ${text}`);
  if (texts.length > 0) sums.failures.push({ seed, texts });
}

export function addSums(to: Sums, from: Sums): void {
  to.seeds += from.seeds;
  to.peakOverLimit = Math.max(to.peakOverLimit, from.peakOverLimit);
  for (const key of [
    'overLimitMs',
    'usableSlotMs',
    'usedSlotMs',
    'messagesPerSecond',
    'violations',
    'virtualMs',
    'starts',
  ] as const)
    to[key] += from[key];
  for (const waitMs of from.slackWaitsMs) to.slackWaitsMs.push(waitMs);
  to.redealsMs.push(...from.redealsMs);
  to.failures.push(...from.failures);
}

export function rowOf(mode: Mode, scenario: ScenarioName, sums: Sums): Row {
  const waits = Float64Array.from(sums.slackWaitsMs).sort();
  return {
    ...{ mode, scenario, seeds: sums.seeds },
    peakOverLimit: rounded(sums.peakOverLimit, 3),
    secondsOverLimit: rounded(sums.overLimitMs / 1_000, 3),
    utilization: rounded(sums.usableSlotMs === 0 ? 1 : sums.usedSlotMs / sums.usableSlotMs, 4),
    waitP50Ms: percentile(waits, 0.5),
    waitP99Ms: percentile(waits, 0.99),
    messagesPerSecond: rounded(sums.seeds === 0 ? 0 : sums.messagesPerSecond / sums.seeds, 1),
    redealMs:
      sums.redealsMs.length === 0 ? null : Math.round(sums.redealsMs.reduce((most, ms) => Math.max(most, ms), 0)),
    violations: sums.violations,
  };
}

const percentile = (sorted: Float64Array, part: number): number | null =>
  sorted.length === 0 ? null : rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0, 2);

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const COLUMNS: readonly (readonly [title: string, of: (row: Row) => string])[] = [
  ['mode', ({ mode }) => mode],
  ['scenario', ({ scenario }) => scenario],
  ['seeds', ({ seeds }) => String(seeds)],
  ['peak / limit', ({ peakOverLimit }) => peakOverLimit.toFixed(2)],
  ['over limit', ({ secondsOverLimit }) => `${secondsOverLimit.toFixed(1)} s`],
  ['use', ({ utilization }) => utilization.toFixed(3)],
  ['wait p50', ({ waitP50Ms }) => ms(waitP50Ms)],
  ['wait p99', ({ waitP99Ms }) => ms(waitP99Ms)],
  ['messages', ({ messagesPerSecond }) => `${messagesPerSecond.toFixed(1)} /s`],
  ['redeal', ({ redealMs }) => ms(redealMs)],
  ['violations', ({ violations }) => String(violations)],
];

const ms = (value: number | null): string =>
  value === null ? '-' : `${value < 10 ? value.toFixed(2) : Math.round(value)} ms`;

/** The rows for people. */
export function tableOf(rows: readonly Row[]): string {
  const lines = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, of]) => of(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = (text: string, column: number): string =>
    column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(padded).join('  ').trimEnd()).join('\n');
}
