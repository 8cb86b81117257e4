import { tpch } from './tpch/command.js';

const USAGE = `npm run gen -- DATASET [options]

Data sets:
  tpch        the tables of the TPC-H benchmark, made here (npm run gen -- tpch --help)
`;

/** Makes data sets. Returns the exit code: 0 done, 1 failed, 2 wrong use, 130 interrupted. */
export async function gen(argv: string[]): Promise<number> {
  const [dataset, ...args] = argv;
  if (dataset === 'tpch') return tpch(args);
  if (dataset === '--help' || dataset === '-h') {
    process.stdout.write(USAGE);
    return 0;
  }
  process.stderr.write(
    `${dataset === undefined ? 'Name a data set.' : `There is no data set '${dataset}'.`}\n\n${USAGE}`,
  );
  return 2;
}
