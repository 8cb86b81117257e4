import { defaultGroupConfig } from '@tutti/resource-groups';
import { ReloadRules } from './reload-rules.js';

/** What follows from looks that find these contents: capital letters are good, small ones wrong. */
const verdicts = (keys: string): string[] => {
  const rules = new ReloadRules('A');
  return [...keys].map((key) =>
    rules.looked({
      key,
      parsed: key === key.toUpperCase() ? { ok: defaultGroupConfig, warnings: [] } : { problems: [key] },
    }),
  );
};

it.each([
  ['AA', 'nothing nothing', 'nothing changes'],
  ['BB', 'apply nothing', 'other groups hold at once'],
  ['BA', 'apply apply', 'so do the former ones'],
  ['xA', 'nothing nothing', 'R2: half a file is no news'],
  ['xB', 'nothing apply', 'R2: nor when it becomes another one'],
  ['xxx', 'nothing failed nothing', 'R2, R3: a wrong file is told at the second look, once'],
  ['xyxyy', 'nothing nothing nothing nothing failed', 'R2: a file that is being written is told when it rests'],
  ['xxA', 'nothing failed recovered', 'R1, R3: it is right again with what holds anyway'],
  ['xxB', 'nothing failed apply', 'R1: it is right again with something else'],
  ['xxyy', 'nothing failed nothing failed', 'R3: another wrong file is other news'],
  ['xxyxx', 'nothing failed nothing nothing nothing', 'R3: the same wrong file is not, whatever came between'],
  ['xxAxx', 'nothing failed recovered nothing failed', 'R3: but after a right one it is'],
])('%s: %s: %s', (keys, expected) => expect(verdicts(keys).join(' ')).toBe(expected));
