import { join } from 'node:path';
import { instant, type TaskId } from '@tutti/base';
import { replayTranscript } from '@tutti/base/testing';
import fc from 'fast-check';
import { TaskMachine, type TaskEffect, type TaskEvent } from './task-machine.js';

const OPTIONS = {
  ...{ orphanTimeoutMs: 10_000, endedKeptMs: 60_000, endedMax: 50 },
  ...{ canceledKeptMs: 60_000, canceledMax: 2 },
};
const id = (text: string) => text as TaskId;

const EVENTS: Readonly<Record<string, (taskId: TaskId) => TaskEvent>> = {
  create: (taskId) => ({ kind: 'createAsked', taskId, memoryLimitBytes: 100, verdict: 'accepted' }),
  createFenced: (taskId) => ({ kind: 'createAsked', taskId, memoryLimitBytes: 100, verdict: 'fenced' }),
  createUnenrolled: (taskId) => ({ kind: 'createAsked', taskId, memoryLimitBytes: 100, verdict: 'notEnrolled' }),
  read: (taskId) => ({ kind: 'rowsAsked', taskId }),
  leave: (taskId) => ({ kind: 'readerLeft', taskId }),
  cancel: (taskId) => ({ kind: 'cancelAsked', taskId }),
  finish: (taskId) => ({ kind: 'finished', taskId }),
  fail: (taskId) => ({ kind: 'failed', taskId }),
  release: (taskId) => ({ kind: 'released', taskId }),
  drain: () => ({ kind: 'drainBegan' }),
  graceEnded: () => ({ kind: 'drainGraceEnded' }),
  tick: () => ({ kind: 'ticked' }),
};

const show = (effect: TaskEffect): string =>
  [effect.kind, 'taskId' in effect ? effect.taskId : '', 'reason' in effect ? effect.reason : '']
    .filter(Boolean)
    .join(' ');

test('the life of tasks', () => {
  let machine = new TaskMachine({ tasksMax: 2, ...OPTIONS });
  let now = instant(0);
  const { expected, actual } = replayTranscript(join(__dirname, 'testdata', 'tasks.txt'), (line) => {
    const words = line.split(' ');
    if (words[0] === 'tasksMax') {
      machine = new TaskMachine({ tasksMax: Number(words[1]), ...OPTIONS });
      return '';
    }
    if (words[0] === 'at') now = instant(Number(words.splice(0, 2)[1]) * 1000);
    if (words[0] === 'list')
      return machine
        .tasks()
        .map((task) => `${task.taskId} ${task.phase.kind}${task.holdsExecutor ? ', holds an executor' : ''}`)
        .concat(`reserved ${machine.reservedBytes()}, ended ${machine.ended}`)
        .join('\n');
    const event = EVENTS[words[0] ?? '']?.(id(words[1] ?? ''));
    if (event === undefined) throw new Error(`unknown command: ${line}`);
    return machine.apply(event, now).map(show).join('\n');
  });
  expect(actual).toBe(expected);
});

test('whatever happens, the rules hold', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const steps = fc.array(fc.tuple(fc.constantFrom(...Object.keys(EVENTS)), names, fc.nat(4_000)), { maxLength: 150 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 3 }), (script, tasksMax) => {
      const machine = new TaskMachine({ tasksMax, ...OPTIONS, endedMax: 3 });
      const starts = new Map<string, number>();
      const stops = new Map<string, number>();
      const canceledAt = new Map<string, number>();
      let now = 0;
      for (const [name, task, delayMs] of script) {
        now += delayMs;
        const isHeld = machine.get(id(task)) !== undefined;
        const effects = machine.apply((EVENTS[name] as (taskId: TaskId) => TaskEvent)(id(task)), instant(now));
        if (name === 'cancel' && !isHeld && effects.length === 0 && !canceledAt.has(task)) canceledAt.set(task, now);
        for (const effect of effects) {
          if (effect.kind === 'start') {
            expect(name).toBe('create'); // K7
            expect(now - (canceledAt.get(task) ?? -Infinity)).toBeGreaterThanOrEqual(60_000); // K8
            canceledAt.delete(task);
          }
          if (effect.kind === 'start') starts.set(effect.taskId, (starts.get(effect.taskId) ?? 0) + 1);
          if (effect.kind === 'stop') stops.set(effect.taskId, (stops.get(effect.taskId) ?? 0) + 1);
          // A forgotten task may be created anew.
          if (effect.kind === 'forget') [starts, stops].forEach((counts) => counts.delete(effect.taskId));
        }
        const held = machine.tasks();
        expect(held.filter((one) => one.holdsExecutor).length).toBeLessThanOrEqual(tasksMax); // K1
        for (const count of [...starts.values(), ...stops.values()]) expect(count).toBe(1); // K2, K5
        expect(machine.reservedBytes()).toBe(100 * machine.unfinished().length);
      }
      machine.apply({ kind: 'ticked' }, instant(now));
      const ended = machine.tasks().filter((one) => 'at' in one.phase && !one.holdsExecutor);
      expect(ended.length).toBeLessThanOrEqual(3); // K5
    }),
  );
});
