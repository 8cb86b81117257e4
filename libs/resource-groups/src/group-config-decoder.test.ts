import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type GroupSpec, groupSpec } from './group-config.js';
import { configOf, group, placelessProblemsOf, problemsOf, warningsOf } from './testing/parsed.js';

const everybody = [{ group: 'global' }];
const HOUR_MS = 3_600_000;

/** The root group of a file with nothing but this group. */
function rootOf(more: object, file: object = {}): GroupSpec {
  const { rootGroups } = configOf({ rootGroups: [group('global', more)], selectors: everybody, ...file });
  return rootGroups[0] as GroupSpec;
}

describe('the resource-groups file', () => {
  it('CF-1: is read with all limits of a group, and their defaults', () => {
    const { rootGroups } = configOf({
      rootGroups: [
        {
          ...{ name: 'global', softMemoryLimit: '1MB', hardConcurrencyLimit: 100, maxQueued: 1000 },
          ...{ softCpuLimit: '1h', hardCpuLimit: '1d', schedulingPolicy: 'weighted', jmxExport: true },
          perQueryLimits: { executionTimeLimit: '1h', totalMemoryLimit: '1MB', cpuTimeLimit: '1h' },
          subGroups: [
            { name: 'sub', softMemoryLimit: '2MB', hardConcurrencyLimit: 3, maxQueued: 4, schedulingWeight: 5 },
          ],
        },
      ],
      // As in Presto's own test: it loads, and its queries fail.
      selectors: [{ group: 'global' }],
      cpuQuotaPeriod: '1h',
    });
    const sub = groupSpec({
      ...{ name: 'sub', template: 'global.sub', hardConcurrencyLimit: 3, maxQueued: 4, schedulingWeight: 5 },
      softMemoryLimit: { kind: 'bytes', bytes: 2 ** 21 },
    });
    const global = groupSpec({
      ...{ name: 'global', hardConcurrencyLimit: 100, maxQueued: 1000 },
      softMemoryLimit: { kind: 'bytes', bytes: 2 ** 20 },
      ...{ softCpuLimitMs: HOUR_MS, hardCpuLimitMs: 24 * HOUR_MS, cpuQuotaMsPerSecond: 24_000 },
      ...{ schedulingPolicy: 'weighted', jmxExport: true },
      perQueryLimits: { executionTimeLimitMs: HOUR_MS, totalMemoryLimitBytes: 2 ** 20, cpuTimeLimitMs: HOUR_MS },
      subGroups: [sub],
    });
    expect(rootGroups).toEqual([global]);
  });

  it('CF-2: takes the old name of hardConcurrencyLimit', () => {
    const file = { rootGroups: [{ name: 'global', softMemoryLimit: '3MB', maxRunning: 42, maxQueued: 99 }] };
    expect(configOf({ ...file, selectors: everybody }).rootGroups[0]).toMatchObject({
      ...{ hardConcurrencyLimit: 42, softConcurrencyLimit: 42, maxQueued: 99, schedulingWeight: 1 },
    });
  });

  // testdata/presto-example.json is Presto's documented example, unchanged: presto-docs/src/main/sphinx/admin/
  // resources-groups-example.json of https://github.com/prestodb/presto, Apache License 2.0.
  it("takes Presto's documented example as it is", () => {
    const { rootGroups, selectors } = configOf(
      readFileSync(join(import.meta.dirname, 'testdata/presto-example.json'), 'utf8'),
    );
    const lines: string[] = [];
    const add = (groups: readonly GroupSpec[]): void =>
      groups.forEach((spec) => {
        const { template, hardConcurrencyLimit: hard, maxQueued, schedulingPolicy, schedulingWeight, isDynamic } = spec;
        lines.push(`${template} ${hard}/${maxQueued} ${schedulingPolicy} ${schedulingWeight}${isDynamic ? ' *' : ''}`);
        add(spec.subGroups);
      });
    add(rootGroups);
    expect(lines).toEqual([
      'global 100/1000 weighted 1',
      'global.data_definition 5/100 fair 1',
      'global.adhoc 50/1 fair 10',
      'global.adhoc.other 2/1 weighted_fair 10',
      'global.adhoc.other.${USER} 1/100 fair 1 *',
      'global.adhoc.bi-${toolname} 10/100 weighted_fair 10 *',
      'global.adhoc.bi-${toolname}.${USER} 3/10 fair 1 *',
      'global.pipeline 45/100 fair 1',
      'global.pipeline.pipeline_${USER} 5/100 fair 1 *',
      'admin 50/100 query_priority 1',
    ]);
    expect(selectors.map(({ specs }) => specs.at(-1)?.template)).toEqual(selectors.map((selector) => selector.group));
    expect(rootGroups[0]?.softMemoryLimit).toEqual({ kind: 'percent', percent: 80 });
  });

  it('takes what Java takes: numbers as texts, words in any case, null for nothing', () => {
    const more = { hardConcurrencyLimit: '7', maxQueued: '2147483647', schedulingPolicy: 'Query_Priority' };
    expect(rootOf({ ...more, jmxExport: 'true', softCpuLimit: null, subGroups: null, schedulingWeight: null })).toEqual(
      groupSpec({
        ...{ name: 'global', hardConcurrencyLimit: 7, maxQueued: 2_147_483_647, jmxExport: true },
        schedulingPolicy: 'query_priority',
      }),
    );
  });

  it('keeps limits exactly unless a root group asks for something else', () => {
    expect(rootOf({}).admissionMode).toBe('leased');
    for (const admissionMode of ['leased', 'gated', 'presto'])
      expect(rootOf({ admissionMode })).toMatchObject({ admissionMode });
  });

  it('takes a text that begins with a byte order mark', () => {
    const text = JSON.stringify({ rootGroups: [group('global')], selectors: everybody });
    expect(problemsOf(`\ufeff${text}`)).toEqual([]);
  });

  it('takes both names of workersPerQueryLimit, the one of the program and the one of the documentation', () => {
    expect(rootOf({ workersPerQueryLimit: 3 }).workersPerQueryLimit).toBe(3);
    expect(rootOf({ workerPerQueryLimit: 4 }).workersPerQueryLimit).toBe(4);
  });

  it('counts CPU that comes back by the hard limit, at least 1 ms a second', () => {
    const file = { cpuQuotaPeriod: '1d' };
    expect(rootOf({ softCpuLimit: '1h', hardCpuLimit: '2h' }, file).cpuQuotaMsPerSecond).toBe(83);
    expect(rootOf({ hardCpuLimit: '1s' }, file).cpuQuotaMsPerSecond).toBe(1);
    expect(rootOf({}, file).cpuQuotaMsPerSecond).toBe(0);
  });

  it('has properties of its own', () => {
    const { rootGroups } = configOf({
      rootGroups: [
        group('global', {
          ...{
            hardConcurrencyLimit: 10,
            queueTimeout: '5m',
            admissionMode: 'presto',
            queryPriority: { min: 2, max: 9 },
          },
          subGroups: [
            group('etl', { hardConcurrencyLimit: 6, guarantee: 4, queryPriority: { max: 5 } }),
            group('${USER}', { maxGroups: 50, subGroups: [group('adhoc')] }),
          ],
        }),
      ],
      selectors: [{ group: 'global.etl' }],
    });
    const [global] = rootGroups;
    expect(global).toMatchObject({
      queueTimeoutMs: 300_000,
      queryPriority: { min: 2, max: 9 },
      guarantee: 0,
      admissionMode: 'presto',
    });
    const [etl, user] = global?.subGroups ?? [];
    expect(etl).toMatchObject({ guarantee: 4, queueTimeoutMs: undefined, queryPriority: { min: 1, max: 5 } });
    // D2: bounds hold below, until a group has its own.
    expect(user).toMatchObject({ maxGroups: 50, queryPriority: { min: 2, max: 9 } });
    expect(user?.subGroups[0]).toMatchObject({
      isDynamic: true,
      queryPriority: { min: 2, max: 9 },
      admissionMode: 'presto',
    });
  });

  it('D2: query_priority holds for everything below', () => {
    const tree = group('c', { subGroups: [group('d')] });
    const subGroups = [group('b', { schedulingPolicy: 'query_priority', subGroups: [tree] })];
    const { rootGroups } = configOf({ rootGroups: [group('a', { subGroups })], selectors: [{ group: 'a.b.c.d' }] });
    const policies: string[] = [];
    for (let spec = rootGroups[0]; spec !== undefined; spec = spec.subGroups[0]) policies.push(spec.schedulingPolicy);
    expect(policies).toEqual(['fair', 'query_priority', 'query_priority', 'query_priority']);
  });
});

describe('what is wrong with a file', () => {
  it('is told all at once, in the order of the file, each with line, column and path', () => {
    const text = `{
  "rootGroups": [
    { "name": "global", "hardConcurrencyLimit": 20, "maxQueued": 1000,
      "subGroups": [
        { "name": "adhoc", "hardConcurencyLimit": 16, "maxQueued": -1 },
        { "name": "adhoc", "hardConcurrencyLimit": 16.5, "maxQueued": 1, "maxQueued": 2 },
        7
      ]
    }
  ],
  "selectors": [{ "user": "(", "group": "global.adhoc" }, { "queryType": "SELECTS" }],
  "cpuQuotaPeriod": "1 hour"
}`;
    expect(problemsOf(text)).toEqual([
      'line 5:9: rootGroups[0].subGroups[0].hardConcurrencyLimit: must be a whole number >= 0, was missing',
      'line 5:28: rootGroups[0].subGroups[0].hardConcurencyLimit: Unknown property at line 5:28: hardConcurencyLimit; did you mean "hardConcurrencyLimit"?',
      'line 5:68: rootGroups[0].subGroups[0].maxQueued: must be a whole number >= 0, was -1',
      'line 6:19: rootGroups[0].subGroups[1].name: Duplicated sub group: adhoc; give each group of the list another name',
      'line 6:52: rootGroups[0].subGroups[1].hardConcurrencyLimit: must be a whole number >= 0, was 16.5',
      'line 6:74: rootGroups[0].subGroups[1].maxQueued: stands twice in one object; keep one',
      'line 7:9: rootGroups[0].subGroups[2]: must be an object with a name and limits, was 7',
      'line 11:27: selectors[0].user: no regular expression: error parsing regexp: missing closing ): `(`',
      'line 11:59: selectors[1].group: must be a text of 1 to 5000 letters, was missing',
      'line 11:74: selectors[1].queryType: Selector specifies an invalid query type: SELECTS; it is one of DATA_DEFINITION, DELETE, DESCRIBE, EXPLAIN, ANALYZE, INSERT, SELECT, CONTROL, UPDATE, MERGE, CALL_DISTRIBUTED_PROCEDURE',
      'line 12:21: cpuQuotaPeriod: must be a duration such as "90s", "1.5h" or "2d", was "1 hour"',
    ]);
  });

  it('CF-3: an unknown property is told as Presto does', () => {
    const text =
      '{\n"rootGroups": [\n{\n"name": "global",\n"maxQueued": 1,\n"maxRunning": 2,\n\n     "maxFoo": 99}],\n"selectors": [{"group": "global"}]}';
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(
        /^line 8:6: rootGroups\[0\]\.maxFoo: Unknown property at line 8:6: maxFoo; known are name, /,
      ),
    ]);
  });

  const weights = (policy: string | undefined, ...given: (number | undefined)[]): object =>
    group('requests', {
      ...(policy !== undefined && { schedulingPolicy: policy }),
      subGroups: given.map((weight, index) =>
        group(`g${index}`, weight === undefined ? {} : { schedulingWeight: weight }),
      ),
    });
  const cpu = (more: object) => [group('global', more)];

  it.each<[string, object[], string]>([
    [
      'two roots of one name',
      [group('global'), group('global')],
      'rootGroups[1].name: Duplicated root group: global; ',
    ],
    [
      'a name with a dot',
      [group('glo.bal')],
      "rootGroups[0].name: Invalid resource group name. 'glo.bal' contains a '.'",
    ],
    [
      'a dot in a variable',
      [group('${a.b}')],
      "rootGroups[0].name: Invalid resource group name. '${a.b}' contains a '.'",
    ],
    [
      'a variable with a sign',
      [group('${domain}:${region$}')],
      "rootGroups[0].name: Invalid resource group name. '${domain}:${region$}': '${region$}' is no variable: names of variables are letters and digits",
    ],
    [
      'an open variable',
      [group('a${USER')],
      "rootGroups[0].name: Invalid resource group name. 'a${USER': '${' has no '}'",
    ],
    ['no name', [group('')], 'rootGroups[0].name: must be a text of 1 to 256 letters, was ""'],
    [
      'weights for some',
      [weights('weighted', 1, undefined)],
      "rootGroups[0].subGroups: Must specify scheduling weight for all sub-groups of 'requests' or none of them; 'g1' has none",
    ],
    [
      'weights under fair',
      [weights('fair', 1, 2)],
      "rootGroups[0].subGroups[0].schedulingWeight: Must use 'weighted' or 'weighted_fair' scheduling policy if specifying scheduling weight for 'requests'; its policy is fair",
    ],
    [
      'weights under query_priority',
      [weights('query_priority', 1000)],
      "rootGroups[0].subGroups[0].schedulingWeight: Must use 'weighted' or 'weighted_fair' scheduling policy if specifying scheduling weight for 'requests'; its policy is query_priority",
    ],
    [
      'a weight of nothing',
      [weights('weighted', 0)],
      'rootGroups[0].subGroups[0].schedulingWeight: must be a whole number >= 1, was 0',
    ],
    [
      'a policy that is none',
      [group('global', { schedulingPolicy: 'fairly' })],
      'rootGroups[0].schedulingPolicy: must be one of fair, weighted, weighted_fair, query_priority, was "fairly"',
    ],
    [
      'another policy below query_priority',
      [group('a', { schedulingPolicy: 'query_priority', subGroups: [group('b', { schedulingPolicy: 'fair' })] })],
      "rootGroups[0].subGroups[0].schedulingPolicy: must be query_priority or left out, as 'a' above is query_priority, was fair",
    ],
    [
      'a CPU limit without a period',
      cpu({ hardCpuLimit: '1h' }),
      'rootGroups[0].hardCpuLimit: cpuQuotaPeriod must be specified to use cpu limits on group: global; it stands beside rootGroups, for example "cpuQuotaPeriod": "1h"',
    ],
    [
      'a soft limit above the hard one',
      [group('a', { softConcurrencyLimit: 2 })],
      'rootGroups[0].softConcurrencyLimit: must be <= hardConcurrencyLimit, which is 1, was 2',
    ],
    [
      'a limit beyond int',
      [group('a', { maxQueued: 2_147_483_648 })],
      'rootGroups[0].maxQueued: must be a whole number >= 0 and <= 2147483647, was 2147483648',
    ],
    [
      'two names that differ',
      [group('a', { maxRunning: 2 })],
      'rootGroups[0].maxRunning: is another name of hardConcurrencyLimit, and they differ; remove one',
    ],
    [
      'memory that is none',
      [group('a', { softMemoryLimit: '10 percent' })],
      'rootGroups[0].softMemoryLimit: must be a size such as "10GB", or a share of all workers\' memory such as "10%", was "10 percent"',
    ],
    [
      'a switch that is none',
      [group('a', { jmxExport: 'yes' })],
      'rootGroups[0].jmxExport: must be true or false, was "yes"',
    ],
    [
      'an unknown limit of queries',
      [group('a', { perQueryLimits: { memoryLimit: '1GB' } })],
      'rootGroups[0].perQueryLimits.memoryLimit: Unknown property: memoryLimit; known are executionTimeLimit, totalMemoryLimit, cpuTimeLimit',
    ],
    [
      'a guarantee above the limit',
      [group('a', { guarantee: 2 })],
      'rootGroups[0].guarantee: must be <= hardConcurrencyLimit, which is 1, was 2',
    ],
    [
      'guarantees that cannot all be kept',
      [
        group('a', {
          hardConcurrencyLimit: 5,
          subGroups: ['b', 'c'].map((name) => group(name, { hardConcurrencyLimit: 3, guarantee: 3 })),
        }),
      ],
      "rootGroups[0].subGroups[1].guarantee: the guarantees of the sub-groups of 'a' are 6 together, more than its hardConcurrencyLimit of 5",
    ],
    [
      'priorities upside down',
      [group('a', { queryPriority: { min: 3, max: 2 } })],
      'rootGroups[0].queryPriority: min must be <= max, was {"min":3,"max":2}',
    ],
    ['a timeout of nothing', [group('a', { queueTimeout: '0s' })], 'rootGroups[0].queueTimeout: must be longer than 0'],
    [
      'a mode that is none',
      [group('a', { admissionMode: 'open' })],
      'rootGroups[0].admissionMode: must be one of leased, gated, presto, was "open"',
    ],
    [
      'a mode below the root',
      [group('a', { subGroups: [group('b', { admissionMode: 'gated' })] })],
      'rootGroups[0].subGroups[0].admissionMode: may be given to root groups only, and holds for all below',
    ],
    [
      'a bound of groups that cannot multiply',
      [group('a', { maxGroups: 2 })],
      'rootGroups[0].maxGroups: bounds groups whose own name has a variable such as ${USER}; remove it',
    ],
    ['no groups', [], 'rootGroups: must be a list of 1 to 10000 entries, had 0'],
  ])('%s', (_what, rootGroups, problem) => {
    const told = placelessProblemsOf({ rootGroups, selectors: [{ group: 'a' }] });
    expect(told.filter((text) => !text.startsWith('selectors'))).toEqual([expect.stringContaining(problem)]);
  });

  it.each([
    [
      { softCpuLimit: '1h' },
      'rootGroups[0].softCpuLimit: Must specify hard CPU limit in addition to soft limit; add hardCpuLimit',
    ],
    [
      { softCpuLimit: '2h', hardCpuLimit: '1h' },
      'rootGroups[0].softCpuLimit: Soft CPU limit cannot be greater than hard CPU limit',
    ],
  ])('CPU limits that do not fit: %j', (more, problem) => {
    const file = { rootGroups: cpu(more), selectors: everybody, cpuQuotaPeriod: '1h' };
    expect(placelessProblemsOf(file)).toEqual([problem]);
  });

  it('a missing period is told once, and not where the soft limit is wrong', () => {
    const limits = { softCpuLimit: '2h', hardCpuLimit: '1h' };
    const rootGroups = [group('a', limits), group('b', { hardCpuLimit: '1h' })];
    expect(placelessProblemsOf({ rootGroups, selectors: [{ group: 'a' }] })).toEqual([
      'rootGroups[0].softCpuLimit: Soft CPU limit cannot be greater than hard CPU limit',
      'rootGroups[0].hardCpuLimit: cpuQuotaPeriod must be specified to use cpu limits on group: a; it stands beside rootGroups, for example "cpuQuotaPeriod": "1h"',
    ]);
  });

  it('is not told twice: a wrong period is no problem of each group, nor a wrong limit of what must fit below it', () => {
    const rootGroups = cpu({ hardCpuLimit: '1h', hardConcurrencyLimit: 'many', softConcurrencyLimit: 3, guarantee: 1 });
    expect(placelessProblemsOf({ rootGroups, selectors: everybody, cpuQuotaPeriod: '0s' })).toEqual([
      'rootGroups[0].hardConcurrencyLimit: must be a whole number >= 0, was "many"',
      'cpuQuotaPeriod: must be longer than 0',
    ]);
  });

  it.each([
    ['', 'line 1:1: not JSON: a value is expected here; text stands in "quotation marks"'],
    ['{\n "rootGroups": 1 "selectors"}', "line 2:18: not JSON: a ',' or a '}' is expected here"],
    ['[]', 'line 1:1: must be an object with rootGroups and selectors, was []'],
    [`"${'x'.repeat(100)}"`, `line 1:1: must be an object with rootGroups and selectors, was "${'x'.repeat(56)}...`],
    ['x'.repeat(11_000_000), 'the file is larger than 10485760 bytes'],
  ])('%.40j is no file of groups', (text, problem) => expect(problemsOf(text)).toEqual([problem]));

  it('is told up to a hundred times, and then counted', () => {
    const file = {
      rootGroups: Array.from({ length: 70 }, (_, index) => ({ name: `g${index}` })),
      selectors: everybody,
    };
    const problems = problemsOf(file);
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe('and 41 more problems');
  });

  it('may be nested only so deep', () => {
    let tree = group('g');
    for (let depth = 0; depth < 20; depth++) tree = group('g', { subGroups: [tree] });
    expect(placelessProblemsOf({ rootGroups: [tree], selectors: [{ group: 'g' }] })).toContainEqual(
      expect.stringMatching(/groups may be nested 16 deep$/),
    );
  });
});

describe('what is wrong with a selector', () => {
  const rootGroups = [
    group('a', { subGroups: [group('b', { subGroups: [group('c'), group('${x}'), group('${USER}')] })] }),
  ];

  it.each<[object, string]>([
    [{ group: 'a.b.X' }, 'group: Selector refers to nonexistent group: a.b.X; did you mean "a.b.c"?'],
    [{ group: 'z.b.c' }, 'group: Selector refers to nonexistent group: z; did you mean "a.b.c"?'],
    [{ group: 'elsewhere' }, 'group: Selector refers to nonexistent group: elsewhere'],
    [{ group: 'a..c' }, 'group: Selector refers to nonexistent group: a..c; did you mean "a.b.c"?'],
    [{ group: 'a.' }, 'group: Selector refers to nonexistent group: a.'],
    [
      { group: 'a.b.${USER} ' },
      'group: Selector refers to nonexistent group: a.b.${USER} ; did you mean "a.b.${USER}"?',
    ],
    [
      { group: 'a.b.${x}', user: '(?<y>.*)' },
      "group: unresolved variables [x] in resource group ID 'a.b.${x}', available: [USER, SOURCE, SCHEMA, y]",
    ],
    // The principal's groups give values, but declare nothing.
    [
      { group: 'a.b.${x}', principal: '(?<x>.*)' },
      "group: unresolved variables [x] in resource group ID 'a.b.${x}', available: [USER, SOURCE, SCHEMA]",
    ],
    [{ group: 'a.b.${x}', user: '(?<x>.)', source: '(?<x>.)' }, 'source: Multiple definitions found for variable ${x}'],
    [{ group: 'a.b.c', user: '(?<USER>.)' }, 'user: Multiple definitions found for variable ${USER}'],
    [{ group: 'a.b.c', source: 7 }, 'source: must be a regular expression of up to 4000 letters, was 7'],
    [{ group: 'a.b.c', clientTags: 'x' }, 'clientTags: must be a list of 1 to 100 entries, was "x"'],
    [{ group: 'a.b.c', clientTags: ['x', ''] }, 'clientTags[1]: must be a text of 1 to 256 letters, was ""'],
    [
      { group: 'a.b.c', selectorResourceEstimate: { cpuTime: { min: '2h', max: '1h' } } },
      'selectorResourceEstimate.cpuTime: min must be <= max, was {"min":"2h","max":"1h"}',
    ],
    [
      { group: 'a.b.c', selectorResourceEstimate: { peakMemory: { min: '1h' } } },
      'selectorResourceEstimate.peakMemory.min: must be a size such as "512MB" or "10GB", was "1h"',
    ],
  ])('%j', (selector, problem) => {
    const told = placelessProblemsOf({ rootGroups, selectors: [selector] });
    expect(told).toEqual([`selectors[0].${problem}`]);
  });

  it('is not that its group could not be read', () => {
    const wrong = { rootGroups: [{ name: 7, hardConcurrencyLimit: 1, maxQueued: 1 }], selectors: [{ group: 'seven' }] };
    expect(placelessProblemsOf(wrong)).toEqual(['rootGroups[0].name: must be a text of 1 to 256 letters, was 7']);
  });
});

describe('a selector to a group with subgroups', () => {
  const subGroups = ['x', 'y'].map((name) => group(name));
  const rootGroups = [group('a'), group('b', { subGroups: [group('c', { subGroups }), group('${USER}')] })];

  it('D4: is told, with its place and the groups that it may name, and keeps nothing from loading', () => {
    const selectors = [{ group: 'b.c', user: 'x' }, { group: 'a', user: 'y' }, { group: 'b' }];
    const file = JSON.stringify({ rootGroups, selectors }, null, 1);
    const column = '   "group": '.length + 1;
    expect(warningsOf(file).map((warning) => warning.replace(/^line \d+/, 'line L'))).toEqual([
      `line L:${column}: selectors[0].group: queries fail: Cannot add queries to b.c. It is not a leaf group; queries go to groups without subgroups: b.c.x, b.c.y`,
      `line L:${column}: selectors[2].group: queries fail: Cannot add queries to b. It is not a leaf group; queries go to groups without subgroups: b.c.x, b.c.y, b.\${USER}`,
    ]);
  });

  it('tells of a hundred such selectors, and the first groups only', () => {
    const many = Array.from({ length: 30 }, (_, index) => group(`g${index}`));
    const selectors = Array.from({ length: 130 }, (_, user) => ({ group: 'all', user: `u${user}` }));
    const warnings = warningsOf({ rootGroups: [group('all', { subGroups: many })], selectors });
    expect(warnings).toHaveLength(101);
    expect(warnings[0]).toMatch(/: all\.g0, all\.g1, all\.g2, all\.g3, all\.g4 and others$/);
    expect(warnings.at(-1)).toBe('and 30 more warnings');
  });
});
