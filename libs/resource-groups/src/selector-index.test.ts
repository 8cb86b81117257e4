import { type Random, randomInt, seededRandom } from '@tutti/base';
import { defaultGroupConfig, type GroupConfig, type Selector } from './group-config.js';
import { compileNamePattern } from './name-pattern.js';
import { candidatesOf, requiredPrefix } from './selector-index.js';
import { matchesSelector } from './selector-match.js';

const pick = <T>(random: Random, values: readonly T[]): T => values[randomInt(random, values.length)] as T;

const patternOf = (text: string) => {
  const compiled = compileNamePattern(text);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled.ok;
};

it.each([
  ['alice', 'alice'],
  ['(?i)Airflow-.*', 'Airflow-'],
  ['svc-etl\\.nightly', 'svc-etl.nightly'],
  ['user.*', 'user'],
  ['users*', 'user'],
  ['ab?c', 'a'],
  ['ab{0,2}', 'a'],
  ['ab+', 'ab'],
  ['a|b', ''],
  ['(a|b)c', ''],
  ['.*x', ''],
  ['[ab]c', ''],
  ['\\d+', ''],
  ['^a', ''],
  ['', ''],
])('every match of %j begins with %j', (expression, prefix) => expect(requiredPrefix(expression)).toBe(prefix));

it('I1: the index finds the selector that asking all of them finds', () => {
  const parts = ['a', 'b', 'ab', 'K', 's', 'x-', '\\.', '.*', 'b?', '[ab]', '(a|b)', 'b+', '|'];
  const letters = ['a', 'b', 'A', 'B', 'k', '\u212a', 's', '\u017f', 'x', '-', '.', '\u0130', '\u00e4'];
  for (let seed = 1; seed <= 300; seed++) {
    const random = seededRandom(seed);
    const text = (values: readonly string[], length: number) =>
      Array.from({ length }, () => pick(random, values)).join('');
    const expression = () =>
      `${pick(random, ['', '(?i)'])}${text(parts, 1 + randomInt(random, 4)).replace(/^[|?+]+/, '')}`;
    const selectors: Selector[] = Array.from({ length: 40 }, () => ({
      ...(randomInt(random, 4) > 0 && { user: patternOf(expression()) }),
      ...(randomInt(random, 3) > 0 && { source: patternOf(expression()) }),
      ...(randomInt(random, 3) === 0 && { clientTags: [pick(random, ['t', 'u']), pick(random, ['t', 'v'])] }),
      group: 'global',
      specs: defaultGroupConfig.rootGroups,
    }));
    const config: GroupConfig = { ...defaultGroupConfig, selectors };
    for (let query = 0; query < 30; query++) {
      const clientTags = ['t', 'u', 'v', 't'].slice(randomInt(random, 4));
      const [user, source] = [text(letters, 1 + randomInt(random, 4)), text(letters, randomInt(random, 4))];
      const criteria = { user, source, clientTags };
      const places = [...candidatesOf(config, criteria)];
      const found = places.find((place) => matchesSelector(selectors[place] as Selector, criteria)) ?? -1;
      const expected = selectors.findIndex((selector) => matchesSelector(selector, criteria));
      expect({ seed, criteria, found }).toEqual({ seed, criteria, found: expected });
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    }
  }
});
