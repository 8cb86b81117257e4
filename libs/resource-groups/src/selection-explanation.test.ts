import { explainSelection } from './selection-explanation.js';
import type { SelectionCriteria } from './selector-match.js';
import { configOf, group } from './testing/parsed.js';

const config = configOf({
  rootGroups: [
    group('admin'),
    group('global', {
      subGroups: [group('etl'), group('bi-${tool}', { subGroups: [group('${USER}')] }), group('${SOURCE}')],
    }),
  ],
  selectors: [
    { user: 'root|dba-.*', group: 'admin' },
    { source: '(?i)airflow', clientTags: ['night', 'batch'], group: 'global.etl' },
    { queryType: 'EXPLAIN', group: 'global.etl' },
    { schema: 'sales', principal: '.*@etl', group: 'global.etl' },
    { selectorResourceEstimate: { cpuTime: { min: '1h' }, peakMemory: { max: '1GB' } }, group: 'global.etl' },
    { source: 'jdbc#(?<tool>.*)', group: 'global.bi-${tool}.${USER}' },
    { source: '.+', group: 'global.${SOURCE}' },
  ],
});
const reasonsOf = (criteria: SelectionCriteria) => explainSelection(config, criteria).reasons;

it('says of each selector why it does not take the query, and of the last one what it made of it', () => {
  expect(
    reasonsOf({ user: 'ann', source: 'jdbc#tab', queryType: 'SELECT', schema: 'web', estimates: { cpuTimeMs: 1 } }),
  ).toEqual([
    'selector 1 (group admin): user "ann" does not match root|dba-.*',
    'selector 2 (group global.etl): source "jdbc#tab" does not match (?i)airflow',
    'selector 3 (group global.etl): the query type is SELECT, not EXPLAIN',
    'selector 4 (group global.etl): principal "" does not match .*@etl',
    'selector 5 (group global.etl): the estimate of cpuTime is 1.00ms, not at least 1.00h',
    'selector 6 (group global.bi-${tool}.${USER}) matches with USER="ann", tool="tab"',
  ]);
});

it('says what is missing', () => {
  const estimates = { cpuTimeMs: 7_200_000 };
  const about = { user: 'ann', source: 'airflow', principal: 'x@etl', schema: 'web', clientTags: ['batch'], estimates };
  expect(reasonsOf(about)).toEqual([
    'selector 1 (group admin): user "ann" does not match root|dba-.*',
    'selector 2 (group global.etl): the client tags lack "night"',
    'selector 3 (group global.etl): the query type is not known, not EXPLAIN',
    'selector 4 (group global.etl): the schema is "web", not "sales"',
    'selector 5 (group global.etl): the query has no estimate of peakMemory',
    'selector 6 (group global.bi-${tool}.${USER}): source "airflow" does not match jdbc#(?<tool>.*)',
    'selector 7 (group global.${SOURCE}) matches with SOURCE="airflow"',
  ]);
});

it('says when nothing takes the query, and when its group cannot be made', () => {
  expect(reasonsOf({ user: 'ann', schema: 'web' }).at(-1)).toBe('no selector matches, of 7: the query is refused');
  expect(reasonsOf({ user: 'ann', source: 'etl', schema: 'web' }).at(-1)).toBe(
    'selector 7 (group global.${SOURCE}) matches, but the query is refused: Ambiguous configuration for etl: both global.${SOURCE} and global.etl make this name',
  );
  expect(reasonsOf({ user: 'root' })).toEqual(['selector 1 (group admin) matches']);
});

it('says when the group of the selector has subgroups', () => {
  const rootGroups = [group('global', { subGroups: [group('a'), group('b')] })];
  const { selection, reasons } = explainSelection(configOf({ rootGroups, selectors: [{ group: 'global' }] }), {
    user: 'ann',
  });
  expect(selection.kind).toBe('invalid');
  expect(reasons).toEqual([
    'selector 1 (group global) matches, but the query is refused: Cannot add queries to global. It is not a leaf group; queries go to groups without subgroups: global.a, global.b',
  ]);
});

it('says no more than a hundred sentences', () => {
  const selectors = Array.from({ length: 500 }, (_, index) => ({ user: `u${index}`, group: 'a' }));
  const many = configOf({ rootGroups: [group('a')], selectors });
  const { selection, reasons } = explainSelection(many, { user: 'u400' });
  expect(selection).toMatchObject({ kind: 'selected', selector: 400 });
  expect(reasons).toHaveLength(100);
  expect(reasons.slice(-3)).toEqual([
    'selector 98 (group a): user "u400" does not match u97',
    'and 302 more do not match',
    'selector 401 (group a) matches',
  ]);
  expect(explainSelection(many, { user: 'u98' }).reasons.slice(-2)).toEqual([
    'selector 98 (group a): user "u98" does not match u97',
    'selector 99 (group a) matches',
  ]);
  expect(explainSelection(many, { user: 'u99' }).reasons).toHaveLength(100);
});
