import { type Random, randomInt, seededRandom } from '@tutti/base';
import type { Stage, StageRead } from '@tutti/sql';
import { type ScheduleEffect, type ScheduleEvent, StageSchedule, type TaskAttempt } from './stage-schedule.js';
import type { ExchangeFile, TaskOutput } from './stage-task.js';

const BIGINT = { sql: 'BIGINT', id: 'BIGINT', children: [] };

function stage(id: string, reads: [stageId: string, share: StageRead['share']][] = [], partitions = 0): Stage {
  return {
    id,
    sql: `SELECT ${id}`,
    types: [BIGINT],
    scans: [],
    reads: reads.map(([stageId, share], number) => ({ number, stageId, share, types: [] })),
    tasks: 2,
    output:
      id === 'final'
        ? { kind: 'result' }
        : partitions > 0
          ? { kind: 'partitioned', keys: ['c0'], partitions }
          : { kind: 'files' },
    estimatedRows: 1,
    operators: [],
    distribution: '',
  };
}

type Run = Extract<ScheduleEffect, { kind: 'run' }>;

const output = (
  { sessionId, stage: { id }, index, attempt, stage: { output } }: Run,
  min = '1',
  max = '2',
): TaskOutput => {
  const partitions = output.kind === 'partitioned' ? output.partitions : 1;
  const files = Array.from({ length: partitions }, (_, partition) => ({
    sessionId,
    name: `${id}.${index}.${attempt}/${partition}`,
    partition,
    rows: 1,
    bytes: 10,
  }));
  return { rows: partitions, bytes: 10 * partitions, files, ranges: [{ min, max }] };
};

const attemptOf = ({ stageId, index, attempt }: Run): TaskAttempt => ({ stageId, index, attempt });
const told = (effects: readonly ScheduleEffect[]) =>
  effects.map((effect) => {
    if (effect.kind === 'run') return `run ${effect.stageId}.${effect.index}#${effect.attempt} on ${effect.sessionId}`;
    if (effect.kind === 'again') return `again ${effect.stageId}.${effect.index}`;
    return effect.kind === 'failed' ? `failed: ${effect.failure.message}` : effect.kind;
  });
const runsOf = (effects: readonly ScheduleEffect[]) => effects.filter((effect): effect is Run => effect.kind === 'run');

function schedule(...sessions: string[]) {
  const machine = new StageSchedule({ sessionTasksMax: 2, attemptsMax: 3 });
  for (const sessionId of sessions) machine.apply({ kind: 'sessionOpened', sessionId });
  const cut = (...stages: [Stage, number][]) =>
    machine.apply({ kind: 'stagesCut', stages: stages.map(([one, tasks]) => ({ stage: one, tasks })) });
  const finish = (run: Run, min?: string, max?: string) =>
    machine.apply({ kind: 'finished', ...attemptOf(run), output: output(run, min, max) });
  return { machine, cut, finish };
}

test('S4: a session that its worker refuses has run nothing: its tasks go elsewhere, and may still be tried three times', () => {
  const { machine, cut } = schedule('a', 'b');
  const [, second] = runsOf(cut([stage('partial'), 2])) as [Run, Run];
  expect(told(machine.apply({ kind: 'sessionRefused', sessionId: 'b' }))).toEqual(['run partial.1#2 on a']);
  expect(told(machine.apply({ kind: 'taskLost', ...attemptOf(second), message: 'late', missing: [] }))).toEqual([]);
  expect(told(machine.apply({ kind: 'sessionRefused', sessionId: 'a' }))).toEqual([]);
  let last: string[] = [];
  for (const [sessionId, attempt] of [
    ['c', 3],
    ['d', 4],
    ['e', 5],
  ] as const) {
    const effects = machine.apply({ kind: 'sessionOpened', sessionId });
    expect(told(effects)).toContain(`run partial.1#${attempt} on ${sessionId}`);
    last = told(machine.apply({ kind: 'sessionLost', sessionId, message: 'gone' }));
    expect(last).toContain('sessionWanted');
  }
  expect(last.at(-1)).toMatch(/it was started 3 times/);
});

test('a query of two stages: partial results on both workers, then the final one, which reads all of them', () => {
  const { machine, cut, finish } = schedule('a', 'b');
  const first = cut([stage('partial'), 4]);
  expect(told(first)).toEqual([
    'run partial.0#1 on a',
    'run partial.1#1 on b',
    'run partial.2#1 on a',
    'run partial.3#1 on b',
  ]);
  const [run0, run1, run2, run3] = runsOf(first) as [Run, Run, Run, Run];
  expect([run0, run1, run2].flatMap((run) => told(finish(run)))).toEqual([]);
  expect(machine.facts().size).toBe(0);
  expect(told(finish(run3, '-7', '10'))).toEqual(['cut']);
  expect(machine.facts().get('partial')).toEqual({
    rows: 4,
    bytes: 40,
    partitionRows: [4],
    ranges: [{ min: '-7', max: '10' }],
  });

  const [final] = runsOf(cut([stage('final', [['partial', 'all']]), 1])) as [Run];
  expect(final.inputs[0]?.files.map(({ sessionId }) => sessionId)).toEqual(['a', 'b', 'a', 'b']);
  expect(told(finish(final))).toEqual(['done']);
});

test('a task reads its partitions, or its share of the files (S2)', () => {
  const { cut, finish } = schedule('a');
  for (const run of runsOf(cut([stage('left', [], 4), 1], [stage('right'), 1]))) finish(run);
  const runs = runsOf(
    cut([
      stage('join', [
        ['left', 'partition'],
        ['right', 'own'],
      ]),
      2,
    ]),
  );
  const names = runs.map(({ inputs }) => inputs.map(({ files }) => files.map(({ name }) => name)));
  expect(names).toEqual([
    [['left.0.1/0', 'left.0.1/2'], ['right.0.1/0']],
    [['left.0.1/1', 'left.0.1/3'], []],
  ]);
});

test('a task goes where most of its input is', () => {
  const { cut, finish } = schedule('a', 'b');
  const runs = runsOf(cut([stage('build'), 1]));
  runs.forEach((run) => finish({ ...run, sessionId: 'b' }));
  expect(told(cut([stage('final', [['build', 'all']]), 1]))).toEqual(['run final.0#1 on b']);
});

test('a session that is lost: its tasks run again, and files of it are made again only when a task needs them (S2, S5)', () => {
  const { machine, cut, finish } = schedule('a', 'b');
  const partials = runsOf(cut([stage('partial'), 2]));
  partials.forEach((run) => finish(run));
  const [middle] = runsOf(cut([stage('middle', [['partial', 'all']]), 1])) as [Run];
  expect(middle.sessionId).toBe('a');
  // Both what runs there and what it reads from there are gone.
  expect(told(machine.apply({ kind: 'sessionLost', sessionId: 'a', message: 'a is gone' }))).toEqual([
    'again middle.0',
    'run partial.0#2 on b',
  ]);
  const remade = { ...(partials[0] as Run), attempt: 2, sessionId: 'b' };
  const [again] = runsOf(finish(remade)) as [Run];
  expect(told([again])).toEqual(['run middle.0#2 on b']);
  expect(told(finish(again))).toEqual(['cut']);
  expect(told(finish(middle))).toEqual([]); // S1: word of the first attempt comes late.
});

test('a stage that has not told its facts is made again though nobody reads it yet', () => {
  const { machine, cut, finish } = schedule('a', 'b');
  const runs = runsOf(cut([stage('partial'), 2]));
  finish(runs[0] as Run);
  expect(told(machine.apply({ kind: 'sessionLost', sessionId: 'a', message: 'a is gone' }))).toEqual([
    'run partial.0#2 on b',
  ]);
});

test('files that cannot be fetched are made again', () => {
  const { machine, cut, finish } = schedule('a', 'b');
  runsOf(cut([stage('partial'), 2])).forEach((run) => finish(run));
  const [final] = runsOf(cut([stage('final', [['partial', 'all']]), 1])) as [Run];
  const missing = final.inputs[0]?.files.filter(({ sessionId }) => sessionId === 'b') as ExchangeFile[];
  const lost = machine.apply({ kind: 'taskLost', ...attemptOf(final), message: 'no such file', missing });
  expect(told(lost)).toEqual(['again final.0', 'run partial.1#2 on a']);
});

test('a task is started three times at most, and not once rows have gone to the client (S4)', () => {
  const lose = (rowsSent: boolean) => {
    const { machine, cut } = schedule('a');
    let [run] = runsOf(cut([stage('final'), 1]));
    const heard: string[] = [];
    if (rowsSent) machine.apply({ kind: 'rowsSent' });
    while (run !== undefined) {
      const effects = machine.apply({
        kind: 'taskLost',
        ...attemptOf(run),
        message: 'the executor ended',
        missing: [],
      });
      heard.push(...told(effects));
      [run] = runsOf(effects);
    }
    return heard;
  };
  expect(lose(false)).toEqual([
    'again final.0',
    'run final.0#2 on a',
    'again final.0',
    'run final.0#3 on a',
    'again final.0',
    'failed: A part of the query (stage final) was lost: the executor ended; it was started 3 times. Send the statement again.',
  ]);
  expect(lose(true).at(-1)).toContain('rows had gone to the client already');
});

test('without any session tasks wait for one (S5)', () => {
  const { machine, cut } = schedule('a');
  cut([stage('final'), 1]);
  const lost = machine.apply({ kind: 'sessionLost', sessionId: 'a', message: 'a is gone' });
  expect(told(lost)).toEqual(['again final.0', 'sessionWanted']);
  expect(told(machine.apply({ kind: 'sessionOpened', sessionId: 'c' }))).toEqual(['run final.0#2 on c']);
});

test('a failure ends the query once (S6)', () => {
  const { machine, cut } = schedule('a');
  const [first, second] = runsOf(cut([stage('final'), 2])) as [Run, Run];
  const why = { reason: 'QUERY_FAILED', message: 'division by zero', line: 0, column: 0, retriable: false };
  const failed = { kind: 'taskFailed', failure: why } as const;
  expect(told(machine.apply({ ...failed, ...attemptOf(first) }))).toEqual(['failed: division by zero']);
  expect(machine.apply({ ...failed, ...attemptOf(second) })).toEqual([]);
});

/** Runs three stages while sessions come and go; checks S1-S4 at each step. */
function walk(random: Random): string {
  const machine = new StageSchedule({ sessionTasksMax: 2, attemptsMax: 6 });
  const plan = [
    [
      { stage: stage('scan', [], 4), tasks: 4 },
      { stage: stage('build'), tasks: 2 },
    ],
    [
      {
        stage: stage('join', [
          ['scan', 'partition'],
          ['build', 'all'],
        ]),
        tasks: 4,
      },
    ],
    [{ stage: stage('final', [['join', 'own']]), tasks: 2 }],
  ];
  const live = new Set<string>();
  const running: Run[] = [];
  let [cuts, opened, ended] = [0, 0, ''];
  const take = (effects: readonly ScheduleEffect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'run') {
        for (const file of effect.inputs.flatMap(({ files }) => files)) expect(live).toContain(file.sessionId); // S2
        expect(effect.attempt).toBeLessThanOrEqual(6); // S4
        running.push(effect);
        const mine = running.filter(({ sessionId }) => sessionId === effect.sessionId);
        expect(mine.length).toBeLessThanOrEqual(2); // S3
      } else if (effect.kind === 'cut') {
        if (machine.facts().size === [2, 3][cuts - 1]) apply({ kind: 'stagesCut', stages: plan[cuts++] ?? [] });
      } else if (effect.kind === 'done' || effect.kind === 'failed') ended = effect.kind;
    }
  };
  const apply = (event: ScheduleEvent): void => take(machine.apply(event));
  const open = (): void => {
    const sessionId = `s${opened++}`;
    live.add(sessionId);
    apply({ kind: 'sessionOpened', sessionId });
  };
  open();
  apply({ kind: 'stagesCut', stages: plan[cuts++] ?? [] });
  for (let step = 0; step < 500 && ended === ''; step++) {
    const dice = random();
    const [run] = running.splice(randomInt(random, Math.max(1, running.length)), 1);
    if (dice < 0.1 && live.size < 4) open();
    if (dice > 0.93 && live.size > 0) {
      const [victim] = live;
      live.delete(victim ?? '');
      for (let i = running.length - 1; i >= 0; i--) if (running[i]?.sessionId === victim) running.splice(i, 1);
      apply({ kind: 'sessionLost', sessionId: victim ?? '', message: 'lost' });
    }
    if (live.size === 0) open();
    if (run === undefined || !live.has(run.sessionId)) continue;
    if (dice > 0.88 && dice < 0.9) apply({ kind: 'taskLost', ...attemptOf(run), message: 'lost', missing: [] });
    else apply({ kind: 'finished', ...attemptOf(run), output: output(run) });
  }
  return ended;
}

test('whatever is lost in which order, the query ends: with all rows, or because a task was lost too often', () => {
  const ends = Array.from({ length: 300 }, (_, seed) => walk(seededRandom(seed)));
  expect(new Set(ends)).toEqual(new Set(['done', 'failed']));
  expect(ends.filter((end) => end === 'done').length).toBeGreaterThan(200);
});
