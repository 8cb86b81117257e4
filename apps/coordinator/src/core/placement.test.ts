import { Placements, type WorkerChoice, workerKey } from './placement.js';

const worker = (nodeId: string, change: Partial<WorkerChoice> = {}): WorkerChoice => ({
  nodeId,
  incarnation: 1,
  address: nodeId,
  runningTasks: 0,
  tasksMax: 4,
  memoryLimitBytes: 0,
  edgeAddress: 'edge',
  reportSequence: 1,
  ...change,
});
const nobody: ReadonlySet<string> = new Set();

describe('choosing a worker', () => {
  test('the least loaded one, by the part of its room that is taken', () => {
    const workers = [
      worker('a', { runningTasks: 2 }),
      worker('b', { runningTasks: 3, tasksMax: 8 }),
      worker('c', { runningTasks: 4 }),
    ];
    expect(new Placements().choose(workers, nobody)?.nodeId).toBe('b');
  });

  test('P1: those that are excluded are not chosen, and nobody when all are', () => {
    const workers = [worker('a'), worker('b', { runningTasks: 3 })];
    const placements = new Placements();
    expect(placements.choose(workers, new Set([workerKey(worker('a'))]))?.nodeId).toBe('b');
    expect(placements.choose(workers, new Set(workers.map(workerKey)))).toBeUndefined();
    expect(placements.choose([], nobody)).toBeUndefined();
  });

  test('P2: a burst between two reports spreads', () => {
    const workers = [worker('a'), worker('b'), worker('c', { runningTasks: 2 })];
    const placements = new Placements();
    const chosen = Array.from({ length: 6 }, (_, n) => {
      const choice = placements.choose(workers, nobody) as WorkerChoice;
      placements.placed(choice, `t${n}`);
      return choice.nodeId;
    });
    expect(chosen.filter((id) => id === 'a')).toHaveLength(3);
    expect(chosen.filter((id) => id === 'b')).toHaveLength(2);
    expect(chosen.filter((id) => id === 'c')).toHaveLength(1);
  });

  test('P2: a task no longer counts on top when a later report came, when it ended, or when the worker restarted', () => {
    const placements = new Placements();
    placements.placed(worker('a'), 't1');
    placements.placed(worker('a'), 't2');
    const b = worker('b', { runningTasks: 1 });
    expect(placements.choose([worker('a'), b], nobody)?.nodeId).toBe('b');
    expect(placements.choose([worker('a', { edgeAddress: 'edge', reportSequence: 2 }), b], nobody)?.nodeId).toBe('a');
    expect(placements.choose([worker('a', { incarnation: 2 }), b], nobody)?.nodeId).toBe('a');
    placements.ended('a', 't1');
    placements.ended('a', 't2');
    expect(placements.choose([worker('a'), b], nobody)?.nodeId).toBe('a');
  });

  test('P3: equals take turns', () => {
    const placements = new Placements();
    const workers = ['a', 'b', 'c'].map((id) => worker(id));
    const chosen = Array.from({ length: 6 }, (_, n) => {
      const choice = placements.choose(workers, nobody) as WorkerChoice;
      placements.placed(choice, `t${n}`);
      placements.ended(choice.nodeId, `t${n}`);
      return choice.nodeId;
    });
    expect(chosen).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });
});
