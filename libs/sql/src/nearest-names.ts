import { editDistance } from '@tutti/base';

const NAMES_MAX = 3;

/**
 * The known names, nearest first and at most three, that `name` was probably meant to be. Case does not count; of a
 * dotted name the last part may match alone, so that "f.dely" and "dely" both find "f.delay".
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  const wanted = name.toLowerCase().slice(0, 100);
  const editsMax = Math.max(1, Math.floor(wanted.length / 3));
  const near = new Map<string, number>();
  for (const candidate of known) {
    const text = candidate.toLowerCase();
    const forms = [text, text.slice(text.lastIndexOf('.') + 1)];
    const edits = Math.min(...forms.map((form) => distance(wanted, form, editsMax)));
    if (edits <= editsMax) near.set(candidate, edits);
  }
  return [...near]
    .sort(([nameA, a], [nameB, b]) => a - b || (nameA < nameB ? -1 : 1))
    .slice(0, NAMES_MAX)
    .map(([candidate]) => candidate);
}

/** Edits between two names, or more than `editsMax` when they cannot be near. A name that begins with the other is near. */
function distance(wanted: string, candidate: string, editsMax: number): number {
  const startsWith = wanted.length >= 3 && (candidate.startsWith(wanted) || wanted.startsWith(candidate));
  if (startsWith && Math.min(wanted.length, candidate.length) >= 3) return Math.min(editsMax, 1);
  if (Math.abs(candidate.length - wanted.length) > editsMax) return editsMax + 1;
  return editDistance(wanted, candidate);
}
