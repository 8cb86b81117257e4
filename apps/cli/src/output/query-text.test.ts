import { queryView } from '../testing/query-view.js';
import { renderQuery } from './query-text.js';
import { NO_COLOURS } from './styles.js';

const entriesOf = (query: Parameters<typeof queryView>[0]) => renderQuery(queryView(query), NO_COLOURS);

test('a query in stages shows how far they are, what was started again, and its settings', () => {
  const counts = {
    stages: 3,
    stagesDone: 2,
    tasks: 1_200,
    tasksDone: 5,
    tasksRunning: 4,
    retries: 1,
    splits: 56,
    splitsDone: 28,
  };
  const text = entriesOf({
    stages: { ...counts, exchangedRows: 1_000, exchangedBytes: 2_048 },
    properties: { distribution: 'forced', tasks_per_worker: '4' },
  });
  expect(text).toMatch(/^stages +2 of 3 done$/m);
  expect(text).toMatch(/^tasks +5 of 1,200 done, 4 running$/m);
  expect(text).toMatch(/^started again +1 task$/m);
  expect(text).toMatch(/^exchanged +1,000 rows, 2.00kB$/m);
  expect(text).toMatch(/^session +distribution = forced, tasks_per_worker = 4$/m);
  expect(text).not.toMatch(/^runs whole/m);
});

test('a query that runs whole on one worker says why', () => {
  const text = entriesOf({ distributionReason: 'small input' });
  expect(text).toMatch(/^runs whole +small input$/m);
  expect(text).not.toMatch(/^(stages|session)/m);
});
