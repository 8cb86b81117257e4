import type { Split } from './split.js';

/**
 * Divides splits into `tasks` shares, some of them empty when there are fewer splits. Each share is a run of neighbours, so that
 * what lies together in the files stays together, and row groups that follow each other become one range; of all such
 * divisions it is one whose largest share has the fewest bytes. Expects the splits of a file one after another, in order.
 */
export const shareSplits = (splits: readonly Split[], tasks: number): Split[][] =>
  divideSplits(splits, tasks).map(joinSplits);

/** The same shares, with the splits as they are. */
export function divideSplits(splits: readonly Split[], tasks: number): Split[][] {
  const shares: Split[][] = [];
  const most = leastPossible(splits, tasks);
  let held = 0;
  for (const [index, split] of splits.entries()) {
    const bytes = weightOf(split);
    const left = { splits: splits.length - index, shares: tasks - shares.length };
    const share = shares.at(-1);
    // No share stays empty while another one has splits to give.
    if (share === undefined || held + bytes > most || left.splits <= left.shares) {
      shares.push([split]);
      held = bytes;
    } else {
      share.push(split);
      held += bytes;
    }
  }
  while (shares.length < tasks) shares.push([]);
  return shares;
}

/** Every split costs something, also one of an empty file. */
const weightOf = ({ bytes }: Split): number => Math.max(1, Math.ceil(bytes));

/** The fewest bytes that the largest of `tasks` runs of neighbours can have. */
function leastPossible(splits: readonly Split[], tasks: number): number {
  const weights = splits.map(weightOf);
  let low = Math.max(0, ...weights);
  let high = weights.reduce((sum, weight) => sum + weight, 0);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (runsOf(weights, middle) <= tasks) high = middle;
    else low = middle + 1;
  }
  return low;
}

function runsOf(weights: readonly number[], most: number): number {
  let runs = 0;
  let held = Infinity;
  for (const weight of weights) {
    held += weight;
    if (held > most) {
      runs++;
      held = weight;
    }
  }
  return runs;
}

/** One range for row groups that follow each other in a file. What is known of their values is not needed any more. */
export function joinSplits(splits: readonly Split[]): Split[] {
  const ranges: Split[] = [];
  for (const split of splits) {
    const before = ranges.at(-1);
    if (before === undefined || before.path !== split.path || before.endRow !== split.firstRow) {
      ranges.push(split);
      continue;
    }
    const { endRow } = split;
    const rows = before.rows + split.rows;
    ranges[ranges.length - 1] = { ...before, endRow, rows, bytes: before.bytes + split.bytes, ranges: {} };
  }
  return ranges;
}
