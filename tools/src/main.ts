import { bench } from './bench/main.js';
import { check } from './check.js';
import { runCli } from './cli-process.js';
import { gen } from './gen.js';
import { sim } from './sim.js';
import { test } from './test.js';
import { up } from './up.js';

const USAGE = `npm start                  a local cluster and a query        (npm start -- --help)
npm test                   everything: checks, lint, types, tests
npm run bench -- NAME      measurements                      (npm run bench -- --help)
npm run sim                simulated clusters, from seeds    (npm run sim -- --help)
npm run gen -- tpch        TPC-H data                        (npm run gen -- --help)
npm run check              generated code, contracts, formatting
npm run -s tutti -- ...    the command line client           (npm run -s tutti -- --help)
`;

const root = process.env['TUTTI_ROOT'] ?? process.cwd();
const [command = 'help', ...args] = process.argv.slice(2);

async function run(): Promise<number> {
  switch (command) {
    case 'up':
      return up(args, root);
    case 'test':
      return test(args, root);
    case 'bench':
      return bench(args, root);
    case 'sim':
      return sim(args, root);
    case 'gen':
      return gen(args);
    case 'check':
      return check(root);
    case 'tutti':
      return (await runCli(root, args)).exitCode;
    default:
      process.stderr.write(USAGE);
      return command === 'help' ? 0 : 2;
  }
}

process.exitCode = await run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
