// Finds the selectors that may take a query without asking all of them.
//   I1. The candidates of a query hold every selector that matches it, in the order of the file.
import type { GroupConfig, Selector } from './group-config.js';
import type { SelectionCriteria } from './selector-match.js';

/** Below so many selectors, asking all is as fast. */
const SELECTORS_MIN = 32;

/**
 * Selectors by the letters that a user or a source must begin with, or else by a tag. Most files with many selectors name
 * one user, team, program or tag in each, so that few are left to ask.
 */
export class SelectorIndex {
  private readonly byUser = new PrefixTable();
  private readonly bySource = new PrefixTable();
  private readonly byTag = new Map<string, number[]>();
  /** Those that ask for no certain letters. */
  private readonly others: number[] = [];

  constructor(selectors: readonly Selector[]) {
    selectors.forEach(({ user, source, clientTags: [tag] = [] }, index) => {
      const [userPrefix, sourcePrefix] = [requiredPrefix(user?.text), requiredPrefix(source?.text)];
      if (userPrefix.length === 0 && sourcePrefix.length === 0) {
        if (tag === undefined) this.others.push(index);
        else addTo(this.byTag, tag, index);
      } else if (userPrefix.length >= sourcePrefix.length) this.byUser.add(userPrefix, index);
      else this.bySource.add(sourcePrefix, index);
    });
  }

  /** I1: places of selectors, growing. */
  candidates({ user, source = '', clientTags = [] }: SelectionCriteria): Iterable<number> {
    const places = [...this.byUser.startsOf(user), ...this.bySource.startsOf(source)];
    for (const tag of new Set(clientTags)) places.push(...(this.byTag.get(tag) ?? []));
    if (places.length === 0) return this.others;
    return merged(
      this.others,
      places.sort((a, b) => a - b),
    );
  }
}

const indexes = new WeakMap<readonly Selector[], SelectorIndex>();

/** Places of the selectors to ask, in the order of the file. The index of a configuration is made at its first use. */
export function candidatesOf({ selectors }: GroupConfig, criteria: SelectionCriteria): Iterable<number> {
  if (selectors.length < SELECTORS_MIN) return selectors.keys();
  let index = indexes.get(selectors);
  if (index === undefined) indexes.set(selectors, (index = new SelectorIndex(selectors)));
  return index.candidates(criteria);
}

function addTo(lists: Map<string, number[]>, key: string, place: number): void {
  const places = lists.get(key);
  if (places === undefined) lists.set(key, [place]);
  else places.push(place);
}

/** Places by a prefix, whatever its case. */
class PrefixTable {
  private readonly places = new Map<string, number[]>();
  private readonly lengths = new Set<number>();

  add(prefix: string, place: number): void {
    const key = folded(prefix);
    addTo(this.places, key, place);
    this.lengths.add(key.length);
  }

  /** The places of all prefixes that `name` begins with. */
  *startsOf(name: string): IterableIterator<number> {
    const key = folded(name);
    for (const length of this.lengths) {
      if (length <= key.length) yield* this.places.get(key.slice(0, length)) ?? [];
    }
  }
}

/** The same for all that "(?i)" takes for the same: among what is no ASCII, only the long s needs help. */
const folded = (text: string): string => text.toLowerCase().replaceAll('\u017f', 's');

const LETTER = /[\w@:#/ ,-]/;

/** Letters that every match of the expression begins with, whatever their case; '' when that is not plain to see. */
export function requiredPrefix(expression = ''): string {
  if (expression.includes('|')) return '';
  let at = expression.startsWith('(?i)') ? 4 : 0;
  let prefix = '';
  for (;;) {
    const letter =
      expression[at] === '\\' && /[.\-$]/.test(expression[at + 1] ?? '') ? expression[at + 1] : expression[at];
    if (letter === undefined || (expression[at] === letter && !LETTER.test(letter))) return prefix;
    const next = at + (expression[at] === letter ? 1 : 2);
    // It may be there any number of times, even none.
    if (/[*?{]/.test(expression[next] ?? '')) return prefix;
    prefix += letter;
    at = next;
  }
}

/** Two growing lists as one. */
function* merged(left: readonly number[], right: readonly number[]): IterableIterator<number> {
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [a = Infinity, b = Infinity] = [left[l], right[r]];
    yield Math.min(a, b);
    if (a <= b) l++;
    if (b <= a) r++;
  }
}
