// Makes a failing run small: takes out faults and queries as long as the same rule is still violated.
import type { Plan, PlannedFault } from '../world/planned.js';
import { runPlan, type RunOptions } from '../world/run-plan.js';

export interface Shrunk {
  readonly plan: Plan;
  /** What is violated in it. */
  readonly text: string;
  readonly runs: number;
}

export interface ShrinkBudget {
  readonly runs: number;
  /** Whether there is no more time. */
  readonly isOver: () => boolean;
}

/** Undefined when the run violates none of these rules. Algorithm: delta debugging (Zeller, Hildebrandt: ddmin). */
export function shrink(
  plan: Plan,
  rules: readonly string[],
  budget: ShrinkBudget,
  options: RunOptions = {},
): Shrunk | undefined {
  let runs = 0;
  let text = '';
  const fails = (candidate: Plan): boolean => {
    runs++;
    const { violations } = runPlan(candidate, { ...options, stopsAtViolation: true });
    const found = violations.find(({ rule }) => rules.includes(rule));
    if (found === undefined) return false;
    text = `${found.rule} at ${(found.atMs / 1_000).toFixed(3)} s: ${found.text}`;
    return true;
  };
  if (!fails(plan)) return undefined;
  const mayGoOn = (): boolean => runs < budget.runs && !budget.isOver();
  let smallest = plan;
  const keep = (candidate: Plan): boolean => {
    const before = text;
    if (fails(candidate)) {
      smallest = candidate;
      return true;
    }
    text = before;
    return false;
  };
  minimize(plan.faults, mayGoOn, (faults) => keep({ ...smallest, faults }));
  minimize(smallest.load, mayGoOn, (load) => keep({ ...smallest, load }));
  minimize(smallest.faults, mayGoOn, (faults) => keep({ ...smallest, faults }));
  return { plan: smallest, text, runs };
}

/** Takes out chunks, first half of all, then smaller and smaller ones. */
function minimize<T>(all: readonly T[], mayGoOn: () => boolean, works: (items: readonly T[]) => boolean): void {
  let items = all;
  for (let chunks = 2; items.length > 0 && mayGoOn();) {
    const size = Math.max(1, Math.ceil(items.length / chunks));
    let isSmaller = false;
    for (let start = 0; start < items.length && mayGoOn();) {
      const without = [...items.slice(0, start), ...items.slice(start + size)];
      if (works(without)) {
        items = without;
        isSmaller = true;
      } else start += size;
    }
    if (size === 1 && !isSmaller) return;
    chunks = isSmaller ? Math.max(2, chunks - 1) : chunks * 2;
  }
}

const QUERIES_SHOWN = 20;

/** The schedule of a run, for people. */
export function scheduleText({ faults, load }: Plan): string {
  const shown = load.slice(0, QUERIES_SHOWN);
  return [
    `${faults.length} faults:`,
    ...[...faults].sort((a, b) => a.atMs - b.atMs).map((fault) => `  ${faultText(fault)}`),
    `${load.length} queries${shown.length < load.length ? `, the first ${shown.length} of them` : ''}:`,
    ...shown.map(
      ({ atMs, place, group, durationMs, tasks }) =>
        `  ${Math.round(atMs)} ms: to c${place + 1}, ${group}, runs ${Math.round(durationMs)} ms${tasks > 1 ? ` on ${tasks} workers` : ''}`,
    ),
  ].join('\n');
}

function faultText(fault: PlannedFault): string {
  const { atMs, kind, ...facts } = fault;
  const words = Object.entries(facts)
    .filter(([name]) => name !== 'config' && name !== 'faults')
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value) : String(value)}`);
  return `${Math.round(atMs)} ms: ${kind} ${words.join(', ')}`;
}
