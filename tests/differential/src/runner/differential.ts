// One statement in several ways: whole on one engine, and in stages under each configuration.
import type { TestData } from '../data/test-data.js';
import { compareRows, type Comparison } from './compare-rows.js';
import type { Configuration } from './configurations.js';
import { type PlannedStatement, Planning } from './planning.js';
import { StagedEngine, type Tamper } from './staged-engine.js';
import { type Answer, WholeEngine } from './whole-engine.js';

export type Verdict =
  | { readonly kind: 'equal'; readonly stages: number }
  | { readonly kind: 'whole'; readonly reason: string }
  | { readonly kind: 'bothFailed' }
  | { readonly kind: 'wrong'; readonly problem: string };

export interface Checked {
  readonly configuration: Configuration;
  readonly verdict: Verdict;
}

export interface Result {
  /** Why the statement fails where it runs whole, when it does. */
  readonly failure: string | undefined;
  readonly checked: readonly Checked[];
}

export class Differential {
  private constructor(
    private readonly whole: WholeEngine,
    private readonly planning: Planning,
    private readonly staged: StagedEngine,
  ) {}

  static async open(data: TestData, tamper?: Tamper): Promise<Differential> {
    const planning = await Planning.open(data);
    return new Differential(await WholeEngine.open(data), planning, await StagedEngine.open(data.directory, tamper));
  }

  /** Configurations under which the same is run share a verdict. */
  async check(sql: string, comparison: Comparison, configurations: readonly Configuration[]): Promise<Result> {
    const expected = await this.whole.answer(sql);
    const failure = 'error' in expected ? expected.error : undefined;
    const planned = await this.planning.plan(sql);
    if (planned.kind !== 'plan') {
      const verdict = planned.kind === 'whole' ? planned : unplanned(expected, planned.message);
      return { failure, checked: configurations.map((configuration) => ({ configuration, verdict })) };
    }
    const known = new Map<string, Verdict>();
    const checked: Checked[] = [];
    for (const configuration of configurations) {
      const first = this.staged.firstCut(planned.plan, configuration);
      const verdict = known.get(first) ?? (await this.judge(planned.plan, expected, comparison, configuration));
      known.set(first, verdict);
      checked.push({ configuration, verdict });
    }
    return { failure, checked };
  }

  async close(): Promise<void> {
    this.whole.close();
    this.staged.close();
    await this.planning.close();
  }

  private async judge(
    plan: PlannedStatement,
    expected: Answer,
    comparison: Comparison,
    configuration: Configuration,
  ): Promise<Verdict> {
    const actual = await this.staged.run(plan, configuration);
    if (actual.kind === 'whole') return actual;
    if (actual.kind === 'failed')
      return 'error' in expected ? { kind: 'bothFailed' } : wrong(`it fails: ${actual.message}`);
    if ('error' in expected) return wrong(`it has rows and should fail: ${expected.error}`);
    if (actual.types.join() !== expected.types.join())
      return wrong(`its columns are ${actual.types.join()}, and should be ${expected.types.join()}`);
    if (plan.columnNames.join() !== expected.names.join())
      return wrong(`its columns are named ${plan.columnNames.join()}, and should be ${expected.names.join()}`);
    const problem = compareRows(expected.rows, actual.rows, comparison);
    return problem === undefined ? { kind: 'equal', stages: actual.stages } : wrong(problem);
  }
}

const wrong = (problem: string): Verdict => ({ kind: 'wrong', problem });

const unplanned = (expected: Answer, message: string): Verdict =>
  'error' in expected ? { kind: 'bothFailed' } : wrong(`it cannot be planned: ${message}`);
