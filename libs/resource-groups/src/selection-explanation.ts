import type { GroupConfig } from './group-config.js';
import { selectGroup, type Selection, variableValues } from './group-selector.js';
import { mismatch, type SelectionCriteria, shown } from './selector-match.js';

/** Where a query goes, and why. */
export interface ExplainedSelection {
  readonly selection: Selection;
  /** One sentence per selector up to the one that decides, in the order of the file; at most REASONS_MAX. */
  readonly reasons: readonly string[];
}

const REASONS_MAX = 100;

/** Like selectGroup, with a sentence for each selector that was asked. */
export function explainSelection(config: GroupConfig, criteria: SelectionCriteria): ExplainedSelection {
  const selection = selectGroup(config, criteria);
  const last = selection.kind === 'none' ? config.selectors.length : selection.selector;
  const verdict = verdictOf(config, criteria, selection);
  // Two sentences are kept free: how many selectors are left out, and the verdict.
  const told = last > REASONS_MAX - 1 ? REASONS_MAX - 2 : last;
  const reasons = config.selectors
    .slice(0, told)
    .map((selector, index) => `selector ${index + 1} (group ${selector.group}): ${mismatch(selector, criteria) ?? ''}`);
  if (told < last) reasons.push(`and ${last - told} more do not match`);
  return { selection, reasons: [...reasons, verdict] };
}

function verdictOf({ selectors }: GroupConfig, criteria: SelectionCriteria, selection: Selection): string {
  if (selection.kind === 'none') return `no selector matches, of ${selectors.length}: the query is refused`;
  const selector = selectors[selection.selector];
  const head = `selector ${selection.selector + 1} (group ${selector?.group ?? ''}) matches`;
  if (selection.kind === 'invalid') return `${head}, but the query is refused: ${selection.message}`;
  const used = new Set(selector?.group.match(/[A-Za-z0-9]+(?=\})/g));
  const values =
    selector === undefined ? [] : [...variableValues(selector, criteria)].filter(([name]) => used.has(name));
  return values.length === 0
    ? head
    : `${head} with ${values.map(([name, value]) => `${name}=${shown(value)}`).join(', ')}`;
}
