import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { group, warningsOf } from './testing/parsed.js';

const placeless = (file: unknown): string[] => warningsOf(file).map((text) => text.replace(/^line \d+:\d+: /, ''));

/** The warnings of a file with these groups, of which selectors name all these. */
const ofGroups = (rootGroups: object[], named: string[]): string[] =>
  placeless({ rootGroups, selectors: named.map((path, index) => ({ group: path, user: `u${index}` })) });
/** ... and of one with the groups a and b, and these selectors. */
const ofSelectors = (...selectors: object[]): string[] =>
  placeless({ rootGroups: [group('a'), group('b')], selectors: [...selectors, { group: 'b', user: 'x' }] });

const pair = (parent: object, child: object): object[] => [
  group('g', { ...parent, subGroups: [group('a', child), group('b', child)] }),
];

describe('what is doubtful with groups', () => {
  it.each<[string, object, object, string[]]>([
    [
      'weights under a group without a policy: told once',
      {},
      { schedulingWeight: 2 },
      [
        "rootGroups[0].subGroups[0].schedulingWeight: has no effect: the schedulingPolicy of 'g' is fair, the default; weights count under weighted and weighted_fair",
      ],
    ],
    ['weights under weighted', { schedulingPolicy: 'weighted' }, { schedulingWeight: 2 }, []],
    [
      'a weight and a guarantee of a root group',
      { schedulingWeight: 2, guarantee: 1 },
      {},
      ['schedulingWeight', 'guarantee'].map(
        (name) => `rootGroups[0].${name}: has no effect: a root group shares no limit with others`,
      ),
    ],
    ['a guarantee of nothing', { guarantee: 0 }, {}, []],
    [
      'more memory than there is',
      { softMemoryLimit: '101%' },
      {},
      ['rootGroups[0].softMemoryLimit: limits nothing: it is more than all memory of the workers'],
    ],
    ['all memory that there is', { softMemoryLimit: '100%' }, { softMemoryLimit: '1TB' }, []],
    [
      'limits like those above',
      { hardConcurrencyLimit: 3, maxQueued: 4 },
      { hardConcurrencyLimit: 3, maxQueued: 4 },
      [],
    ],
    [
      'nothing at all may run: that is how a group is stopped',
      { hardConcurrencyLimit: 1 },
      { hardConcurrencyLimit: 0 },
      [],
    ],
  ])('%s', (_what, parent, child, warnings) => {
    expect(ofGroups(pair(parent, child), ['g.a', 'g.b'])).toEqual(warnings);
  });

  it('weights below query_priority have no effect either', () => {
    const deep = group('g', {
      schedulingPolicy: 'query_priority',
      subGroups: [group('c', { subGroups: [group('d', { schedulingWeight: 2 })] })],
    });
    expect(ofGroups([deep], ['g.c.d'])).toEqual([
      "rootGroups[0].subGroups[0].subGroups[0].schedulingWeight: has no effect: the schedulingPolicy of 'c' is query_priority, like that of a group above",
    ]);
  });

  it('limits beyond those of the group above are never reached, under either name', () => {
    const subGroups = [{ name: 'a', maxRunning: 5, maxQueued: 11 }, group('${USER}', { hardConcurrencyLimit: 2 })];
    expect(ofGroups([group('g', { subGroups })], ['g.a', 'g.${USER}'])).toEqual([
      "rootGroups[0].subGroups[0].maxRunning: is never reached: no more than 1 may run in 'g' above",
      "rootGroups[0].subGroups[0].maxQueued: is never reached: no more than 10 may wait in 'g' above",
      "rootGroups[0].subGroups[1].hardConcurrencyLimit: is never reached: no more than 1 may run in 'g' above",
    ]);
  });

  it('GD1: groups that no selector names are told at the highest one', () => {
    const subGroups = [group('a'), group('b'), group('c', { subGroups: [group('d'), group('e')] })];
    expect(ofGroups([group('g', { subGroups }), group('h')], ['g.a'])).toEqual([
      'rootGroups[0].subGroups[1].name: no selector sends queries to it',
      'rootGroups[0].subGroups[2].name: no selector sends queries to a group below it',
      'rootGroups[1].name: no selector sends queries to it',
    ]);
  });

  it('GD1: not so below a group that a selector names by mistake', () => {
    expect(ofGroups(pair({}, {}), ['g'])).toEqual([expect.stringContaining('selectors[0].group: queries fail')]);
  });

  it('GD2: nothing is doubtful where something is wrong', () => {
    expect(() => ofGroups([group('g', { maxQueued: -1, softMemoryLimit: '200%' })], ['g'])).toThrow(/^line.*-1$/);
  });
});

describe('what is doubtful with selectors', () => {
  it.each([[{ group: 'a' }], [{ group: 'a', user: '.*', source: '.*' }], [{ group: 'a', clientTags: [] }]])(
    'what stands behind %j',
    (selector) => {
      expect(ofSelectors(selector)).toEqual(['selectors[1]: is never asked: selectors[0] takes every query']);
    },
  );

  it.each([
    [{ group: 'a', user: '.+' }],
    [{ group: 'a', schema: 's' }],
    [{ group: 'a', clientInfo: '.*' }],
    [{ group: 'a', queryType: 'SELECT' }],
    [{ group: 'a', clientTags: ['t'] }],
    [{ group: 'a', selectorResourceEstimate: { cpuTime: { min: '1s' } } }],
  ])('not what stands behind %j', (selector) => expect(ofSelectors(selector)).toEqual([]));

  it('is told once, and how many there are', () => {
    expect(ofSelectors({ group: 'a', user: 'x' }, { group: 'a' }, { group: 'b' }, { group: 'a' })).toEqual([
      'selectors[2]: is never asked, nor are the 2 after it: selectors[1] takes every query',
    ]);
  });
});

test("Presto's documented example: weights under fair, and more places than the group above has", () => {
  const text = readFileSync(join(import.meta.dirname, 'testdata/presto-example.json'), 'utf8');
  expect(warningsOf(text)).toEqual([
    "line 30:35: rootGroups[0].subGroups[1].subGroups[0].schedulingWeight: has no effect: the schedulingPolicy of 'adhoc' is fair, the default; weights count under weighted and weighted_fair",
    "line 37:32: rootGroups[0].subGroups[1].subGroups[0].subGroups[0].maxQueued: is never reached: no more than 1 may wait in 'other' above",
    "line 45:28: rootGroups[0].subGroups[1].subGroups[1].maxQueued: is never reached: no more than 1 may wait in 'adhoc' above",
  ]);
});
