import { queryId } from '@tutti/base';
import { noUse, type QuerySnapshot } from './core/query.js';
import { LISTED_STATEMENT_LENGTH, queryInfoOf } from './query-codec.js';
import { aSession, noLimits } from './testing/sample-query.js';

const snapshot: QuerySnapshot = {
  queryId: queryId('20261122_151200_00001_k3x9q'),
  state: 'running',
  statement: 'SELECT 1',
  session: { ...aSession, properties: { distribution: 'forced' } },
  group: 'global',
  priority: 1,
  limits: noLimits,
  createdWallMs: 0,
  elapsedMs: 1,
  queuedMs: 0,
  wait: undefined,
  use: noUse,
  failure: undefined,
};

const progress = {
  ...{ stages: 3, stagesDone: 1, tasks: 12, tasksDone: 5, tasksRunning: 4, retries: 1 },
  ...{ splits: 56, splitsDone: 28 },
  ...{ exchangedRows: 1_000, exchangedBytes: 2_048 },
};

test('a query in stages tells how far they are; one that is whole tells why', () => {
  expect(queryInfoOf({ ...snapshot, progress }, 'c1')).toMatchObject({
    stages: { ...progress, exchangedRows: 1_000n, exchangedBytes: 2_048n },
    distributionReason: '',
  });
  const whole = queryInfoOf({ ...snapshot, wholeReason: 'small input' }, 'c1');
  expect([whole.stages, whole.distributionReason]).toEqual([undefined, 'small input']);
  const wordy = queryInfoOf({ ...snapshot, wholeReason: 'x'.repeat(5_000) }, 'c1');
  expect(wordy.distributionReason).toHaveLength(1_000);
});

test('settings of the session are told of one query, and left out of lists', () => {
  expect(queryInfoOf(snapshot, 'c1').session?.properties).toEqual({ distribution: 'forced' });
  expect(queryInfoOf(snapshot, 'c1', LISTED_STATEMENT_LENGTH).session?.properties).toEqual({});
});

test('what SET SESSION and RESET SESSION change is told in every state', () => {
  const change = { set: { adaptive: 'false' }, reset: ['distribution'] };
  expect(queryInfoOf({ ...snapshot, sessionChange: change }, 'c1')).toMatchObject({
    setSession: { adaptive: 'false' },
    resetSession: ['distribution'],
  });
});
