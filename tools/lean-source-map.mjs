// Node decodes the source map of a bundle when somebody first reads the stack of an error, as streams do with every error that
// ends them, and keeps it: what esbuild writes takes 35 to 60 MB then and stops the process for a tenth of a second.
import { readFileSync, writeFileSync } from 'node:fs';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const valueOf = new Map([...DIGITS].map((digit, value) => [digit, value]));

/** The numbers of a segment: Base64 VLQ, as source maps have it. */
function decode(segment) {
  const numbers = [];
  let value = 0;
  let shift = 0;
  for (const character of segment) {
    const digit = valueOf.get(character);
    value += (digit & 31) << shift;
    shift += 5;
    if (digit & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    value = shift = 0;
  }
  return numbers;
}

function encode(numbers) {
  let text = '';
  for (const number of numbers) {
    let rest = number < 0 ? (-number << 1) | 1 : number << 1;
    do {
      const digit = rest & 31;
      rest >>= 5;
      text += DIGITS[rest > 0 ? digit | 32 : digit];
    } while (rest > 0);
  }
  return text;
}

/**
 * The mappings of a source map with one for each line of a source that `isOwn` says yes to, by its index: a stack names the
 * lines, and those of packages as they stand in the bundle.
 */
export function leanMappings(mappings, isOwn) {
  const read = [0, 0, 0];
  const written = [0, 0, 0];
  let last = '';
  return mappings
    .split(';')
    .map((line) => {
      const kept = [];
      let column = 0;
      let keptColumn = 0;
      for (const segment of line === '' ? [] : line.split(',')) {
        const [moved, ...place] = decode(segment);
        column += moved;
        for (const [index, by] of place.slice(0, 3).entries()) read[index] += by;
        const at = place.length > 0 && isOwn(read[0]) ? `${read[0]}:${read[1]}` : '';
        if (at === last) continue;
        last = at;
        // What is mapped to nothing ends what stands before it.
        const to = at === '' ? [] : read.map((value, index) => value - written[index]);
        if (at !== '') written.splice(0, 3, ...read);
        kept.push(encode([column - keptColumn, ...to]));
        keptColumn = column;
      }
      return kept.join(',');
    })
    .join(';');
}

/** Rewrites a source map. */
export function makeLean(path) {
  const { mappings, sources, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  const isOwn = (index) => !sources[index].includes('node_modules');
  writeFileSync(path, JSON.stringify({ ...rest, sources, names: [], mappings: leanMappings(mappings, isOwn) }));
}
