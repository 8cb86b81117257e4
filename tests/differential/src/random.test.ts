// Random queries, each under one configuration in turn. SEED=17 COUNT=1 repeats the query of that seed, COUNT=50000 goes further.
import { type TestData, writeTestData } from './data/test-data.js';
import { generateQuery } from './random/generate.js';
import { type Query, renderQuery } from './random/query-tree.js';
import { shrink } from './random/shrink.js';
import { type Configuration, DIVIDING } from './runner/configurations.js';
import { Differential, type Verdict } from './runner/differential.js';
import { Report } from './runner/report.js';

const FIRST_SEED = Number(process.env['SEED'] ?? 1);
const COUNT = Number(process.env['COUNT'] ?? 2_000);
const SHRINK_ATTEMPTS = 150;
const FAILURES_SHOWN = 5;

// Many statements; a bound for what hangs.
jest.setTimeout(60_000 + COUNT * 500);

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
  process.stdout.write(report.text(`${COUNT} random queries from seed ${FIRST_SEED}`));
});

async function judge(query: Query, configuration: Configuration): Promise<Verdict> {
  const { checked } = await differential.check(renderQuery(query), 'bag', [configuration]);
  if (checked[0] === undefined) throw new Error('no verdict');
  return checked[0].verdict;
}

async function explain(seed: number, query: Query, configuration: Configuration): Promise<string> {
  const small = await shrink(
    query,
    SHRINK_ATTEMPTS,
    async (less) => (await judge(less, configuration)).kind === 'wrong',
  );
  const verdict = await judge(small, configuration);
  const problem = verdict.kind === 'wrong' ? verdict.problem : '';
  return `SEED=${seed} COUNT=1, ${configuration.name}\n${renderQuery(small)}\n${problem}`;
}

test('random queries have the same rows in stages as they have whole', async () => {
  const failures: string[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + COUNT && failures.length < FAILURES_SHOWN; seed++) {
    const query = generateQuery(seed);
    const configuration = DIVIDING[seed % DIVIDING.length] as Configuration;
    const verdict = await judge(query, configuration);
    report.add(configuration.name, verdict);
    if (verdict.kind === 'whole') report.addReason(verdict.reason);
    if (verdict.kind === 'wrong') failures.push(await explain(seed, query, configuration));
  }
  if (failures.length > 0) throw new Error(failures.join('\n\n'));
});
