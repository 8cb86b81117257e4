// The tests of some subjects of the corpus. Two test files share the subjects, so that they run side by side.
import { corpusOf } from './corpus/corpus.js';
import { type TestData, writeTestData } from './data/test-data.js';
import { CONFIGURATIONS } from './runner/configurations.js';
import { Differential } from './runner/differential.js';
import { Report } from './runner/report.js';

/** Declares them. At least `inStages` statements must have run in several stages under the smallest thresholds. */
export function testSubjects(names: readonly string[], inStages: number): void {
  const report = new Report();
  let data: TestData;
  let differential: Differential;

  beforeAll(async () => {
    data = await writeTestData();
    differential = await Differential.open(data);
  });
  afterAll(async () => {
    await differential.close();
    data.remove();
    process.stdout.write(report.text(`The corpus: ${names.join(', ')}`));
  });

  describe.each(names)('%s', (subject) => {
    test.each(corpusOf(subject))('$place $sql', async ({ sql, comparison, fails }) => {
      const { failure, checked } = await differential.check(sql, comparison, CONFIGURATIONS);
      for (const { configuration, verdict } of checked) report.add(configuration.name, verdict);
      const first = checked[0]?.verdict;
      if (first?.kind === 'whole') report.addReason(first.reason);
      const wrong = checked.flatMap(({ configuration, verdict }) =>
        verdict.kind === 'wrong' ? [`with ${configuration.name}: ${verdict.problem}`] : [],
      );
      if (wrong.length > 0) throw new Error(`${sql}\n${wrong.join('\n')}`);
      if (fails !== (failure !== undefined)) throw new Error(`${sql}\n${failure ?? 'it should fail, and has rows'}`);
    });
  });

  test('most of them run in several stages', () => {
    expect(report.severalStages(CONFIGURATIONS[0]?.name ?? '')).toBeGreaterThanOrEqual(inStages);
  });
}
