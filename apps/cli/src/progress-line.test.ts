import { FakeClock } from '@tutti/base/testing';
import { textWidth } from './output/text-width.js';
import { type Progress, ProgressLine, renderProgress, renderSummary } from './progress-line.js';
import { queryView } from './testing/query-view.js';

const progress = (more: Partial<Progress> = {}): Progress => ({
  query: queryView({ state: 'RUNNING', workers: ['w1'] }),
  elapsedMs: 1_234,
  rows: 12_345,
  bytes: 3_000_000,
  ...more,
});
const WAITING = queryView({
  state: 'QUEUED',
  group: 'global.adhoc',
  waitReason: { queuedAhead: 2, message: '"global" runs 1 of 1: 1 here, 0 elsewhere' },
});

const STAGES = {
  ...{ stages: 3, stagesDone: 1, tasks: 12, tasksDone: 5, tasksRunning: 4, retries: 1 },
  ...{ splits: 56, splitsDone: 28 },
  ...{ exchangedRows: 1_000_000, exchangedBytes: 8 << 20 },
};

describe('renderProgress', () => {
  test('a running query shows what has arrived', () => {
    expect(renderProgress(progress(), 80)).toBe('RUNNING  1.23 s  12,345 rows  2.86MB  w1');
  });

  test('before rows arrive it shows what the server has counted', () => {
    const query = queryView({ state: 'RUNNING', rows: 1, resultBytes: 100 });
    expect(renderProgress(progress({ query, rows: 0, bytes: 0 }), 80)).toBe('RUNNING  1.23 s  1 row  100B');
  });

  test('a query in stages shows how far they are, and what they exchanged', () => {
    const stages = { ...STAGES, retries: 0, exchangedRows: 0, exchangedBytes: 0 };
    const query = queryView({ state: 'RUNNING', workers: ['w1', 'w2'], stages });
    const start = 'RUNNING  1.23 s  stages 1/3  tasks 5/12 (4 running)  splits 28/56';
    expect(renderProgress(progress({ query }), 200)).toBe(`${start}  12,345 rows  2.86MB  w1 w2`);
    const later = queryView({ ...query, stages: STAGES });
    expect(renderProgress(progress({ query: later }), 200)).toBe(
      `${start}  1 again  exchanged 1,000,000 rows 8.00MB  12,345 rows  2.86MB  w1 w2`,
    );
  });

  test('a queued query shows why it waits', () => {
    expect(renderProgress(progress({ query: WAITING }), 120)).toBe(
      'QUEUED  1.23 s  "global" runs 1 of 1: 1 here, 0 elsewhere',
    );
  });

  test('its place and how long it will wait stand first, where a narrow terminal cuts nothing', () => {
    const waitReason = { position: 3, estimatedWaitMs: 40_300, message: '"global" runs 1 of 1: 1 here, 0 elsewhere' };
    const query = queryView({ ...WAITING, waitReason });
    expect(renderProgress(progress({ query }), 60)).toBe('QUEUED  1.23 s  #3  about 40 s to wait  "global" runs 1 of…');
  });

  test('before the first answer it is connecting', () => {
    expect(renderProgress(progress({ query: undefined }), 80)).toBe('CONNECTING  1.23 s');
  });

  test.each([1, 10, 20, 40, 79, 200])('on a terminal of %d cells the line leaves the last one free', (width) => {
    const query = queryView({ ...WAITING, waitReason: { queuedAhead: 2, message: '日本\n\x1b[2J'.repeat(20) } });
    const line = renderProgress(progress({ query }), width);
    expect(textWidth(line)).toBeLessThan(width);

    expect(line).not.toMatch(/[\x00-\x1f]/);
  });
});

test('the summary counts rows in words', () => {
  const query = queryView({ queryId: '20261122_151200_00001_k3x9q', workers: ['w1'] });
  expect(renderSummary(progress({ query, rows: 5, elapsedMs: 410 }))).toBe(
    '(5 rows, 0.41 s, query 20261122_151200_00001_k3x9q, worker w1)',
  );
  const staged = queryView({ ...query, workers: ['w1', 'w2'], stages: STAGES, rows: 7 });
  expect(renderSummary(progress({ query: staged, rows: 0, elapsedMs: 410 }))).toBe(
    '(7 rows, 0.41 s, query 20261122_151200_00001_k3x9q, 3 stages, 12 tasks, workers w1 w2)',
  );
  expect(renderSummary(progress({ query: undefined, rows: 1, elapsedMs: 185_000 }))).toBe('(1 row, 3 m 05 s)');
});

describe('ProgressLine', () => {
  function start(inPlace: boolean) {
    const written: string[] = [];
    const clock = new FakeClock();
    const state = { now: progress({ elapsedMs: 0 }) };
    const target = { write: (text: string) => written.push(text), width: () => 80 };
    const line = new ProgressLine({ target, clock, inPlace, progress: () => state.now });
    return { written, clock, state, line };
  }

  test('is redrawn in place as time passes, and leaves nothing behind (W1)', async () => {
    const { written, clock, state, line } = start(true);
    line.show();
    state.now = progress({ elapsedMs: 100 });
    await clock.advance(100);
    line.clear();
    await clock.advance(1_000);
    expect(written).toEqual([
      '\rRUNNING  0.00 s  12,345 rows  2.86MB  w1\x1b[K',
      '\rRUNNING  0.10 s  12,345 rows  2.86MB  w1\x1b[K',
      '\r\x1b[K',
    ]);
  });

  test('in a file becomes a line for each change of state', async () => {
    const { written, clock, state, line } = start(false);
    state.now = progress({ query: undefined });
    line.show();
    state.now = progress({ query: WAITING });
    line.show();
    line.show();
    state.now = progress();
    line.show();
    line.clear();
    await clock.advance(1_000);
    expect(written.map((text) => text.split(' ')[0])).toEqual(['QUEUED', 'RUNNING']);
    expect(written.every((text) => text.endsWith('\n'))).toBe(true);
  });
});
