import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultGroupConfig, type QueryType } from './group-config.js';
import { selectGroup } from './group-selector.js';
import type { SelectionCriteria } from './selector-match.js';
import { configOf, group, groupOf } from './testing/parsed.js';

/** A file whose groups are named by their selectors, one below the other. */
function fileOf(...selectors: { readonly group: string; readonly [property: string]: unknown }[]): object {
  interface Tree {
    [name: string]: Tree;
  }
  const tree: Tree = {};
  for (const selector of selectors) {
    let at = tree;
    for (const name of selector.group.split('.')) at = at[name] ??= {};
  }
  const groups = (level: Tree): object[] =>
    Object.entries(level).map(([name, below]) =>
      group(name, Object.keys(below).length === 0 ? {} : { subGroups: groups(below) }),
    );
  return { rootGroups: groups(tree), selectors };
}

/** The groups that queries go to. */
const groupsOf = (file: object, ...queries: Partial<SelectionCriteria>[]) =>
  queries.map((query) => groupOf(configOf(file), { user: 'userA', ...query }));

describe('a selector', () => {
  it('SE-1: holds user and source against whole names; without a source it is empty', () => {
    const user = fileOf({ user: 'user.*', group: 'a' });
    expect(groupsOf(user, { user: 'userA' }, { user: 'userB' }, { user: 'A.user' })).toEqual(['a', 'a', undefined]);
    const source = fileOf({ source: '.*source.*', group: 'a' });
    expect(groupsOf(source, {}, { source: 'source' }, { source: 'a source b' })).toEqual([undefined, 'a', 'a']);
    expect(groupsOf(fileOf({ source: '', group: 'a' }), {}, { source: 'x' })).toEqual(['a', undefined]);
  });

  it('SE-2: wants all its client tags, and does not mind more', () => {
    const file = fileOf({ clientTags: ['tag1', 'tag2'], group: 'a' });
    const tags = [['tag1', 'tag2'], ['tag1', 'tag2', 'tag3'], [], ['tag1']];
    expect(groupsOf(file, ...tags.map((clientTags) => ({ clientTags })), {})).toEqual([
      ...['a', 'a', undefined, undefined, undefined],
    ]);
  });

  it('SE-3: wants its schema, without case; a session without schema matches', () => {
    const file = fileOf({ schema: 'schema1', group: 'global.${SCHEMA}' });
    expect(groupsOf(file, { schema: 'schema1' }, { schema: 'SCHEMA1' }, { schema: 'schema2' })).toEqual([
      ...['global.schema1', 'global.SCHEMA1', undefined],
    ]);
    expect(groupsOf(fileOf({ schema: 'schema1', group: 'a' }), {})).toEqual(['a']);
  });

  it('SE-4: wants estimates within its ranges, both ends included; no estimate is in no range', () => {
    const file = fileOf({
      selectorResourceEstimate: { executionTime: { min: '1s', max: '5m' }, peakMemory: { max: '1GB' } },
      group: 'a',
    });
    const estimates = (executionTimeMs?: number, peakMemoryBytes?: number) => ({
      estimates: { executionTimeMs, peakMemoryBytes, cpuTimeMs: 1 },
    });
    const GB = 2 ** 30;
    expect(groupsOf(file, estimates(1_000, GB), estimates(300_000, 0), estimates(999, GB))).toEqual([
      'a',
      'a',
      undefined,
    ]);
    expect(groupsOf(file, estimates(1_000, GB + 1), estimates(undefined, GB), estimates(1_000), {})).toEqual(
      Array(4).fill(undefined),
    );
    const cpu = fileOf({ selectorResourceEstimate: { cpuTime: { min: '1h' } }, group: 'a' });
    expect(groupsOf(cpu, { estimates: { cpuTimeMs: 3_600_000 } }, { estimates: { cpuTimeMs: 1 } })).toEqual([
      ...['a', undefined],
    ]);
  });

  it('SE-5: holds client info against whole texts, and principal and source together', () => {
    const info = fileOf({ clientInfo: 'client1.*', group: 'a' });
    const infos = ['client123', 'client1', 'A.client123'].map((clientInfo) => ({ clientInfo }));
    expect(groupsOf(info, ...infos, {})).toEqual(['a', 'a', undefined, undefined]);
    const both = fileOf({ principal: '.*test:principal.*', source: '.*source.*', group: 'a' });
    const principal = 'a test:principal b';
    expect(groupsOf(both, { principal, source: 'source' }, { principal }, { source: 'source' })).toEqual([
      ...['a', undefined, undefined],
    ]);
  });

  it('CF-5: wants its query type; the first selector that matches decides', () => {
    const types = ['select', 'EXPLAIN', 'Insert', 'delete', 'describe', 'data_definition'];
    const selectors = types.map((queryType) => ({ queryType, group: `global.${queryType.toLowerCase()}` }));
    const file = fileOf(
      ...selectors,
      { clientInfo: 'client2_[0-9]+', group: 'global.other-2' },
      { group: 'global.other' },
    );
    const wanted = types.map((type) => ({ queryType: type.toUpperCase() as QueryType }));
    expect(groupsOf(file, ...wanted)).toEqual(types.map((type) => `global.${type.toLowerCase()}`));
    // A kind of statement that no selector names.
    expect(groupsOf(file, { queryType: 'MERGE' }, {}, { clientInfo: 'client2_34' })).toEqual([
      ...['global.other', 'global.other', 'global.other-2'],
    ]);
  });
});

describe('a group with variables', () => {
  it('TP-1: is named by schema, user and source; a dot in a value splits nothing', () => {
    const file = fileOf({ group: 'test.${SCHEMA}.${USER}.${SOURCE}' });
    expect(groupsOf(file, { schema: 'schema', user: 'u', source: 's' })).toEqual(['test.schema.u.s']);
    const config = configOf(fileOf({ group: 'test.${USER}' }));
    expect(selectGroup(config, { user: 'alice.smith' })).toEqual({
      kind: 'selected',
      selector: 0,
      target: { path: 'test."alice.smith"', names: ['test', 'alice.smith'], specs: config.selectors[0]?.specs },
    });
  });

  it('CF-4: is named by the groups of both expressions', () => {
    const file = {
      rootGroups: [
        group('global', { subGroups: [group('${domain}:${region}:${cluster}', { hardConcurrencyLimit: 3 })] }),
      ],
      selectors: [
        {
          source: 'scheduler.(?<region>([^.]*)).(?<cluster>[0-9]*)',
          user: '.*@(?<domain>(.*)).io',
          group: 'global.${domain}:${region}:${cluster}',
        },
      ],
    };
    const selection = selectGroup(configOf(file), { user: 'user@prestodb.io', source: 'scheduler.us_east.12' });
    expect(selection).toMatchObject({ target: { path: 'global.prestodb:us_east:12' } });
    expect(selection.kind === 'selected' && selection.target.specs.at(-1)?.hardConcurrencyLimit).toBe(3);
  });

  it('TP-3: is named by what an expression takes out of the source', () => {
    const source = 'scheduler.important.(?<pipeline>[^\\[]*).*';
    const file = fileOf({ source, group: 'test.pipeline.job_${pipeline}_user:${USER}.${USER}' });
    const query = { user: 'user', source: 'scheduler.important.testpipeline[5]' };
    expect(groupsOf(file, query, { user: 'user', source: 'scheduler.other' })).toEqual([
      ...['test.pipeline.job_testpipeline_user:user.user', undefined],
    ]);
    const sourceless = fileOf({ user: '(?<pipeline>.*)', group: 'test.pipeline.${pipeline}.${SOURCE}_s' });
    expect(groupsOf(sourceless, { user: 'testpipeline' })).toEqual(['test.pipeline.testpipeline._s']);
  });

  it('TP-3: cannot be made when an optional group took no part', () => {
    const file = fileOf({ user: 'a(?<x>b)?', group: 'global.${x}' }, { group: 'rest' });
    expect(groupsOf(file, { user: 'ab' }, { user: 'a' }, { user: 'c' })).toEqual([
      'global.b',
      "unresolved variable 'x' in resource group '${x}', available: USER, SOURCE, SCHEMA",
      'rest',
    ]);
  });

  it('takes values of the principal for variables that others declare', () => {
    const file = fileOf({ user: '(?<team>x)?.*', principal: '(?<team>[^/]*)/(?<USER>.*)', group: 'g.${team}.${USER}' });
    expect(groupsOf(file, { user: 'ann', principal: 'etl/ann@host' })).toEqual([
      'g.etl."ann@host"'.replaceAll('"', ''),
    ]);
  });

  it.each<[string, object, string | RegExp]>([
    ['an empty name', { source: '' }, "the name of resource group 'g.${SOURCE}' is empty for this query"],
    [
      'a long name',
      { source: 'x'.repeat(257) },
      /^the name of resource group 'g\.\$\{SOURCE\}' is longer than 256 letters: "x{100}\.\.\."$/,
    ],
    [
      'the name of a group of the file',
      { source: 'etl' },
      'Ambiguous configuration for etl: both g.${SOURCE} and g.etl make this name',
    ],
    [
      'a name that two groups make',
      { source: 'u-ann' },
      'Ambiguous configuration for u-ann: both g.${SOURCE} and g.u-${USER} make this name',
    ],
  ])('S2: never gets %s', (_what, query, message) => {
    const file = fileOf(
      { user: 'nobody', group: 'g.etl' },
      { user: 'nobody', group: 'g.u-${USER}' },
      { group: 'g.${SOURCE}' },
    );
    expect(groupsOf(file, { user: 'ann', ...query })[0]).toMatch(message);
  });
});

describe('files of Presto', () => {
  it('its documented example sends queries where its documentation says', () => {
    const config = configOf(readFileSync(join(import.meta.dirname, 'testdata/presto-example.json'), 'utf8'));
    const to = (criteria: SelectionCriteria) => groupOf(config, criteria);
    expect(to({ user: 'bob', source: 'pipeline' })).toBe('admin');
    expect(to({ user: 'ann', source: 'my pipeline 1', queryType: 'DATA_DEFINITION' })).toBe('global.data_definition');
    expect(to({ user: 'ann', source: 'my pipeline 1', queryType: 'SELECT' })).toBe('global.pipeline.pipeline_ann');
    const bi = { user: 'kayla', source: 'jdbc#powerfulbi' };
    expect(to({ ...bi, clientTags: ['hipri', 'fast'] })).toBe('global.adhoc.bi-powerfulbi.kayla');
    expect(to(bi)).toBe('global.adhoc.other.kayla');
    expect(to({ user: 'j.doe' })).toBe('global.adhoc.other."j.doe"');
  });

  it('DB-5: tags and statements go to the groups of their selectors', () => {
    const file = fileOf(
      { queryType: 'EXPLAIN', group: 'explain' },
      { user: 'test', group: 'global.bi-${USER}' },
      { source: '(?i).*adhoc.*', group: 'global.user-${USER}.adhoc-${USER}' },
      { source: '(?i).*dashboard.*', group: 'global.user-${USER}.dashboard-${USER}' },
      { clientTags: ['tag1', 'tag2'], group: 'global.user-${USER}.adhoc-${USER}' },
      { clientTags: ['tag1'], group: 'global.bi-${USER}' },
    );
    const queries = [{ queryType: 'EXPLAIN' as const }, { clientTags: ['tag1'] }, { clientTags: ['tag1', 'tag2'] }];
    expect(groupsOf(file, ...queries.map((query) => ({ user: 'user', ...query })))).toEqual([
      ...['explain', 'global.bi-user', 'global.user-user.adhoc-user'],
    ]);
    expect(groupsOf(file, { user: 'test' }, { user: 'u', source: 'a dashboard' }, { user: 'u' })).toEqual([
      ...['global.bi-test', 'global.user-u.dashboard-u', undefined],
    ]);
  });
});

it('the default takes everybody', () => {
  expect(groupOf(defaultGroupConfig, { user: 'any\nbody' })).toBe('global');
});

it('is found at once among 10,000 selectors that name users or programs', () => {
  const file = {
    rootGroups: [group('global', { subGroups: [group('${USER}'), group('rest')] })],
    selectors: [
      ...Array.from({ length: 5_000 }, (_, index) => ({ user: `svc-${index}-.*`, group: 'global.${USER}' })),
      ...Array.from({ length: 4_999 }, (_, index) => ({ source: `(?i)Tool${index}`, group: 'global.${USER}' })),
      { group: 'global.rest' },
    ],
  };
  const config = configOf(file);
  const queries = [{ user: 'svc-4711-x' }, { user: 'ann', source: 'TOOL4711' }, { user: 'bob' }];
  expect(queries.map((query) => groupOf(config, query))).toEqual(['global.svc-4711-x', 'global.ann', 'global.rest']);
  const rounds = 1_000;
  const started = performance.now();
  for (let round = 0; round < rounds; round++) for (const query of queries) selectGroup(config, query);
  // About 3 µs each on an idle machine; asking all selectors takes 1,000 times as long.
  expect((performance.now() - started) / rounds / queries.length).toBeLessThan(0.5);
});

it('DB-5: no query goes to a group with subgroups, nor to another selector instead', () => {
  const subGroups = [group('adhoc-${USER}'), group('dashboard')];
  const file = { rootGroups: [group('open'), group('user-${USER}', { subGroups })] };
  const config = configOf({ ...file, selectors: [{ source: 'cli', group: 'user-${USER}' }, { group: 'open' }] });
  expect(selectGroup(config, { user: 'ann.b', source: 'cli' })).toEqual({
    kind: 'invalid',
    selector: 0,
    message:
      'Cannot add queries to "user-ann.b". It is not a leaf group; queries go to groups without subgroups: user-${USER}.adhoc-${USER}, user-${USER}.dashboard',
  });
  expect(groupOf(config, { user: 'ann.b' })).toBe('open');
});
