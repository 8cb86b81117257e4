import { inlinePool } from './command/seed-pool.js';
import { parseOptions } from './command/options.js';
import { scheduleText, shrink } from './command/shrink.js';
import { sim } from './command/sim.js';
import { planOf, type Sizes } from './plans/scenarios.js';
import { runPlan } from './world/run-plan.js';

async function run(...argv: string[]) {
  const [printed, said]: [string[], string[]] = [[], []];
  const exitCode = await sim(argv, {
    ...{ cores: 1, pool: () => inlinePool, nowMs: () => performance.now() },
    print: (text) => void printed.push(text),
    say: (text) => void said.push(text),
  });
  return { exitCode, printed: printed.join('\n'), said: said.join('\n') };
}

const SMALL = ['--coordinators', '3', '--limit', '4', '--seeds', '2'];

describe('npm run sim', () => {
  it('prints a line per scenario as JSON', async () => {
    const { exitCode, printed } = await run('--scenario', 'burst', '--mode=all', '--json', ...SMALL);
    const { scenarios } = JSON.parse(printed) as { scenarios: object[] };
    expect(exitCode).toBe(0);
    expect(scenarios).toMatchObject([
      { mode: 'leased', scenario: 'burst', seeds: 2, peakOverLimit: 1, secondsOverLimit: 0, violations: 0 },
      { mode: 'gated', peakOverLimit: 1 },
      { mode: 'presto', peakOverLimit: 3 },
    ]);
    expect(Object.keys(scenarios[0] ?? {})).toEqual([
      ...['mode', 'scenario', 'seeds', 'peakOverLimit', 'secondsOverLimit', 'utilization', 'waitP50Ms', 'waitP99Ms'],
      ...['messagesPerSecond', 'redealMs', 'violations'],
    ]);
  });

  it('prints a table for people', async () => {
    const { printed } = await run('--scenario', 'owner-crash', ...SMALL);
    const [head = '', row = ''] = printed.split('\n');
    expect(head).toMatch(/^mode +scenario +seeds +peak \/ limit/);
    expect(row).toMatch(/^leased +owner-crash +2 +1\.00/);
  });

  it('tells a run line by line', async () => {
    const { exitCode, printed } = await run('--scenario', 'burst', '--seed', '3', '--trace', '--coordinators', '2');
    expect(exitCode).toBe(0);
    expect(printed).toMatch(/^ +3\.\d{3} c1 {2}starts q0 in global\./m);
    expect(printed).toMatch(/m\d {2}acquired/);
  });

  it('ends alike with and without --trace: a limit that the mode does not promise is a figure, no failure', async () => {
    const one = ['--scenario', 'burst', '--seed', '1', '--coordinators', '4', '--limit', '8', '--mode'];
    const ends = async (mode: string) => [
      (await run(...one, mode)).exitCode,
      (await run(...one, mode, '--trace')).exitCode,
    ];
    expect(await run(...one, 'presto', '--trace')).toMatchObject({
      printed: expect.stringMatching(/^A1 at /m),
      said: 'presto does not promise A1: that is a figure, no failure',
    });
    expect([await ends('presto'), await ends('leased')]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('says all that is wrong with its options at once', async () => {
    const { exitCode, said } = await run('--mode', 'lease', '--seeds', '0', '--cordinators', '--trace');
    expect(exitCode).toBe(2);
    expect(said.split('\n')).toEqual([
      'there is no option "--cordinators"; did you mean --coordinators?',
      '--mode must be one of leased, gated, presto or all, not "lease"',
      '--seeds must be a whole number from 1 to 1000000, not "0"',
      '--trace tells one run: give --seed, one --mode and one --scenario',
      'npm run sim -- --help tells all options',
    ]);
  });

  it.each([
    [['--seed'], '--seed needs a value'],
    [['--json=yes'], '--json takes no value'],
    [['--limit', '5', '--limit', '6'], '--limit is given twice'],
    [['--seed', '1', '--seeds', '2'], '--seed runs one seed: leave out --seeds'],
    [['burst'], '"burst" is no option; it takes options only'],
    [['-x'], 'there is no option "-x"'],
  ])('%j: %s', (argv, problem) => {
    expect(parseOptions(argv, 1)).toEqual({ kind: 'wrong', problems: [problem] });
  });

  it('explains itself', async () => {
    expect((await run('--help')).printed).toContain('--resource-managers N');
  });
});

describe('a failing run', () => {
  const sizes: Sizes = { mode: 'presto', coordinators: 3, resourceManagers: 1, limit: 4, queryMs: 1_000 };

  it('is shrunk to as few faults and queries as still fail', () => {
    const plan = planOf('freeze', 1, sizes);
    const shrunk = shrink(plan, ['A1'], { runs: 300, isOver: () => false });
    expect(shrunk?.text).toMatch(/^A1 at .* queries run in /);
    expect(shrunk?.plan.faults).toEqual([]);
    expect(shrunk?.plan.load.length).toBeLessThanOrEqual(6);
    expect(shrunk && runPlan(shrunk.plan).violations.some(({ rule }) => rule === 'A1')).toBe(true);
    expect(shrunk && scheduleText(shrunk.plan)).toMatch(/^0 faults:\n\d queries:\n {2}\d+ ms: to c\d, global\./);
  });

  it('prints its seed and how to replay it', async () => {
    const { exitCode, said } = await run('--mode', 'leased', '--scenario', 'burst', ...SMALL);
    expect(exitCode).toBe(0);
    expect(said).toMatch(/^2 runs, \d+ virtual seconds/);
  });
});
