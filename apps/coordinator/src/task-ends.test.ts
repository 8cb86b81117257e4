import { FakeClock } from '@tutti/base/testing';
import { TestLog } from '@tutti/service/testing';
import type { WorkerChoice } from './core/placement.js';
import type { CancelOutcome, TaskUse } from './task-client.js';
import { TaskEnds } from './task-ends.js';

const worker: WorkerChoice = {
  nodeId: 'w1',
  incarnation: 1,
  address: 'w1:1',
  runningTasks: 0,
  tasksMax: 4,
  memoryLimitBytes: 0,
  edgeAddress: 'edge',
  reportSequence: 1,
};
const use: TaskUse = { rows: 1, cpuMs: 2, memoryBytes: 0, peakMemoryBytes: 3, spilledBytes: 0, elapsedMs: 4 };
const ended: CancelOutcome = { kind: 'ended', use };
const silent: CancelOutcome = { kind: 'unconfirmed', message: 'no answer' };

describe('tasks that were stopped', () => {
  let clock: FakeClock;
  let log: TestLog;
  let answers: CancelOutcome[];
  let asked: number[];
  let life: { hasLeft: boolean; isForgotten: boolean };
  let ends: TaskEnds;
  beforeEach(() => {
    clock = new FakeClock();
    log = new TestLog();
    answers = [];
    asked = [];
    life = { hasLeft: false, isForgotten: false };
    ends = new TaskEnds({
      tasks: {
        cancel: async () => {
          asked.push(clock.now());
          return answers.shift() ?? silent;
        },
      },
      workers: { hasLeft: () => life.hasLeft, isForgotten: () => life.isForgotten },
      clock,
      log,
    });
  });

  /** Stops a task; tells when its query may give its slot back. */
  function stop(taskId = 'q.0.0') {
    const told = { use: undefined as TaskUse | undefined, settledAt: undefined as number | undefined };
    const first = ends.stop({ taskId, queryId: 'q', worker }, 'test').then((heard) => (told.use = heard));
    void first.then(() => ends.settled('q')).then(() => (told.settledAt = clock.now()));
    return told;
  }

  test('a worker that confirms the end is asked once', async () => {
    answers = [ended];
    const told = stop();
    await clock.advance(5_000);
    expect([told, asked, ends.openCount]).toEqual([{ use, settledAt: 0 }, [0], 0]);
    expect(log.events()).toEqual([]);
  });

  test('N1: one that does not is asked every second until it does; the query keeps its slot for so long', async () => {
    answers = [silent, silent, { kind: 'unconfirmed', message: 'the task still runs' }, ended];
    const told = stop();
    await clock.advance(2_999);
    expect([told.settledAt, ends.openCount]).toEqual([undefined, 1]);
    await clock.advance(5_000);
    expect([told.settledAt, asked]).toEqual([3_000, [0, 1_000, 2_000, 3_000]]);
    expect(log.events()).toEqual(['task-end-unconfirmed', 'task-end-confirmed']);
  });

  test('N1: a query waits for the ends of all its tasks', async () => {
    answers = [ended, silent, silent, ended];
    stop('q.0.0');
    const told = stop('q.0.1');
    await clock.advance(10_000);
    expect(told.settledAt).toBe(2_000);
  });

  test('N2: a later life of the worker has none of the tasks of its former one', async () => {
    const told = stop();
    await clock.advance(2_500);
    life.hasLeft = true;
    await clock.advance(500);
    expect([told.settledAt, asked]).toEqual([3_000, [0, 1_000, 2_000]]);
  });

  test('N3: a worker that the cluster has forgotten may be cut off, and gets the time to cancel its tasks itself', async () => {
    life.isForgotten = true;
    const told = stop();
    await clock.advance(14_999);
    expect(told.settledAt).toBeUndefined();
    await clock.advance(1);
    expect(told.settledAt).toBe(15_000);
  });

  test('N3: one that is only silent to us is asked for as long as it lives', async () => {
    const told = stop();
    await clock.advance(3_600_000);
    expect(told.settledAt).toBeUndefined();
    answers = [ended];
    await clock.advance(1_000);
    expect(told.settledAt).toBeDefined();
  });
});
