import { randomInt, seededRandom } from '@tutti/base';
import { defaultGroupConfig, type GroupConfig } from './group-config.js';
import { parseGroupConfig } from './group-config-decoder.js';
import { selectGroup } from './group-selector.js';
import type { SelectionCriteria } from './selector-match.js';

const leaf = (name: string, more: object = {}) => ({ name, hardConcurrencyLimit: 1, maxQueued: 10, ...more });
const everybody = [{ group: 'global' }];

const problemsOf = (file: unknown): readonly string[] => {
  const parsed = parseGroupConfig(typeof file === 'string' ? file : JSON.stringify(file));
  return 'problems' in parsed ? parsed.problems : [];
};

const groupOf = (config: GroupConfig, criteria: SelectionCriteria) => {
  const selection = selectGroup(config, criteria);
  return selection.kind === 'selected' ? selection.target.path : undefined;
};

const configOf = (file: unknown) => {
  const parsed = parseGroupConfig(JSON.stringify(file));
  if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
  return parsed.ok;
};

describe('the resource-groups file', () => {
  it('is read with its nested groups', () => {
    const file = {
      rootGroups: [
        leaf('global', { schedulingPolicy: 'fair', subGroups: [leaf('adhoc'), leaf('etl', { subGroups: [] })] }),
      ],
      selectors: [{ user: 'ann', source: 'job.*', group: 'global.etl' }, { group: 'global.adhoc' }],
    };
    const { rootGroups } = configOf(file);
    expect(rootGroups).toMatchObject([
      leaf('global', { subGroups: [leaf('adhoc', { subGroups: [] }), leaf('etl', { subGroups: [] })] }),
    ]);
  });

  it('has a default that takes everybody', () => {
    expect(groupOf(defaultGroupConfig, { user: 'any\nbody' })).toBe('global');
    expect(defaultGroupConfig.rootGroups).toMatchObject([
      leaf('global', { hardConcurrencyLimit: 100, maxQueued: 1000, subGroups: [] }),
    ]);
  });

  it('is refused with all its problems at once, each with its place', () => {
    const file = {
      rootGroups: [
        {
          ...leaf('global'),
          softMemoryLimit: '10GB',
          subGroups: [leaf('a.b'), leaf('etl', { maxQueued: -1 }), leaf('etl', { hardConcurencyLimit: 3 }), 7],
        },
        leaf('${USER}', { schedulingPolicy: 'weighted', hardConcurrencyLimit: 1.5 }),
        { name: '', maxRunning: 4 },
      ],
      selectors: [
        { user: '(', group: 'global' },
        { queryType: 'select', clientTag: 'x' },
      ],
      cpuQuotaPeriod: '1h',
    };
    expect(problemsOf(file)).toEqual([
      'cpuQuotaPeriod: is not supported yet; remove it',
      'rootGroups[0].softMemoryLimit: is not supported yet; remove it',
      `rootGroups[0].subGroups[0].name: must not contain a '.', was "a.b"`,
      'rootGroups[0].subGroups[1].maxQueued: must be a whole number >= 0, was -1',
      'rootGroups[0].subGroups[2].hardConcurencyLimit: unknown property; did you mean "hardConcurrencyLimit"?',
      'rootGroups[0].subGroups[2].name: duplicated subgroup "etl"',
      'rootGroups[0].subGroups[3]: must be an object, was 7',
      'rootGroups[1].name: variables are not supported yet, was "${USER}"',
      'rootGroups[1].schedulingPolicy: "weighted" is not supported yet; use "fair"',
      'rootGroups[1].hardConcurrencyLimit: must be a whole number >= 0, was 1.5',
      'rootGroups[2].maxRunning: is an old name; write hardConcurrencyLimit',
      'rootGroups[2].name: must be a text of 1 to 100 letters, was ""',
      'rootGroups[2].hardConcurrencyLimit: must be a whole number >= 0, was missing',
      'rootGroups[2].maxQueued: must be a whole number >= 0, was missing',
      'selectors[0].user: no regular expression: error parsing regexp: missing closing ): `(`',
      'selectors[1].queryType: is not supported yet; remove it',
      'selectors[1].clientTag: unknown property; known are user, source, group',
      'selectors[1].group: must be the path of a group, was missing',
    ]);
  });

  it.each([
    ['softConcurrencyLimit'],
    ['schedulingWeight'],
    ['jmxExport'],
    ['softCpuLimit'],
    ['hardCpuLimit'],
    ['perQueryLimits'],
    ['workersPerQueryLimit'],
  ])('never ignores %s', (property) => {
    expect(problemsOf({ rootGroups: [leaf('global', { [property]: 1 })], selectors: everybody })).toEqual([
      `rootGroups[0].${property}: is not supported yet; remove it`,
    ]);
  });

  it.each([
    ['global', '"global" has subgroups; queries go to groups without subgroups only'],
    ['global.ad_hoc', 'selector refers to nonexistent group "global.ad_hoc"; did you mean "global.adhoc"?'],
    ['elsewhere', 'selector refers to nonexistent group "elsewhere"'],
  ])('sends nobody to %j', (group, problem) => {
    const rootGroups = [leaf('global', { subGroups: [leaf('adhoc')] })];
    expect(problemsOf({ rootGroups, selectors: [{ group }] })).toEqual([`selectors[0].group: ${problem}`]);
  });

  it.each([
    ['', /^not JSON: /],
    ['{"rootGroups": [}', /^not JSON: /],
    ['{\n "rootGroups": 1 "selectors"}', /^not JSON: .*\(line 2, column 18\)$/],
    ['[]', /^must be an object with rootGroups and selectors, was \[\]$/],
    ['{}', /^rootGroups: must be a list of 1 to 10000 entries, was missing$/],
    ['{"rootGroups": [], "selectors": []}', /^rootGroups: must be a list of 1 to 10000 entries, had 0$/],
  ])('is refused when it is %j', (text, problem) => expect(problemsOf(text)[0]).toMatch(problem));

  it('may be nested only so deep', () => {
    let group = leaf('g');
    for (let depth = 0; depth < 20; depth++) group = leaf('g', { subGroups: [group] });
    expect(problemsOf({ rootGroups: [group], selectors: everybody })).toContainEqual(
      expect.stringMatching(/groups may be nested 16 deep$/),
    );
  });

  it('gives a problem or a configuration for 200 mutated files, never an exception', () => {
    const text = JSON.stringify({
      rootGroups: [leaf('global', { subGroups: [leaf('adhoc'), leaf('etl')] }), leaf('other')],
      selectors: [
        { user: 'a.*', group: 'global.etl' },
        { source: '(x|y)+', group: 'global.adhoc' },
        { group: 'other' },
      ],
    });
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      '"',
      ',',
      'null',
      '-1',
      '1e999',
      '"name"',
      '\\',
      '\u0000',
      '(?i)',
      '__proto__',
      '9',
    ];
    let refused = 0;
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      let mutated = text;
      for (let changes = 1 + randomInt(random, 3); changes > 0; changes--) {
        const at = randomInt(random, mutated.length);
        const cut = randomInt(random, 6);
        mutated = mutated.slice(0, at) + (pieces[randomInt(random, pieces.length)] ?? '') + mutated.slice(at + cut);
      }
      if (problemsOf(mutated).length > 0) refused++;
    }
    expect(refused).toBeGreaterThan(150);
  });
});

describe('a selector', () => {
  const config = configOf({
    rootGroups: [leaf('a'), leaf('b'), leaf('c')],
    selectors: [
      { user: 'user.*', group: 'a' },
      { source: '.*source.*', group: 'b' },
      { user: '(?i)Bob', source: '', group: 'c' },
    ],
  });

  it.each([
    [{ user: 'userA' }, 'a'],
    [{ user: 'userB', source: 'a source b' }, 'a'],
    [{ user: 'A.user' }, undefined],
    [{ user: 'x', source: 'source' }, 'b'],
    [{ user: 'x', source: 'a source b' }, 'b'],
    [{ user: 'x' }, undefined],
    [{ user: 'BOB' }, 'c'],
    [{ user: 'BOB', source: 'cli' }, undefined],
  ])('sends %j to %j: whole names, the first that matches, an absent source is empty', (who, group) => {
    expect(groupOf(config, who)).toBe(group);
  });

  it('takes linear time whatever the expression', () => {
    const bomb = configOf({ rootGroups: [leaf('a')], selectors: [{ user: '(a+)+$', group: 'a' }] });
    const started = performance.now();
    expect(groupOf(bomb, { user: `${'a'.repeat(10_000)}!` })).toBeUndefined();
    // With backtracking this would take longer than the universe has existed.
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
