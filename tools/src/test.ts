import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { printChecks, runChecks } from './check.js';

interface Tally {
  passed: number;
  failed: number;
}

/** Tests on real processes: they come last and alone, so that they measure the cluster and not the other tests. */
const CLUSTER_TESTS = '@tutti/cluster-tests';

/** `npm test`: everything that continuous integration wants to know. Ends with a line "N passed, N failed". */
export function test(argv: readonly string[], root: string): number {
  if (argv.length > 0) {
    console.error('npm test takes no options; for one project: npx nx test resource-groups');
    return 2;
  }
  const startedAt = performance.now();
  const tally: Tally = { passed: 0, failed: 0 };
  const count = (ok: boolean) => (ok ? tally.passed++ : tally.failed++);

  const checks = runChecks(root);
  printChecks(checks);
  checks.forEach((check) => count(check.ok));
  for (const directory of projectDirectories(root)) rmSync(join(root, directory, '.results.json'), { force: true });
  count(nx(root, ['run-many', '-t', 'lint', 'build', '--parallel=2']));
  const ok = [
    nx(root, ['run-many', '-t', 'test', '--parallel=2', '--exclude', CLUSTER_TESTS]),
    nx(root, ['run-many', '-t', 'test', '--projects', CLUSTER_TESTS]),
  ];
  const results = projectDirectories(root).flatMap((directory) => jestTally(root, directory));
  for (const result of results) {
    tally.passed += result.passed;
    tally.failed += result.failed;
  }
  // A runner that died without a report must not look like success.
  if (ok.includes(false) && results.every((result) => result.failed === 0)) tally.failed++;

  console.log(`\n${results.length} test projects, ${Math.round((performance.now() - startedAt) / 1000)} s`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  return tally.failed === 0 ? 0 : 1;
}

function nx(root: string, argv: readonly string[]): boolean {
  const result = spawnSync(process.execPath, ['node_modules/nx/dist/bin/nx.js', ...argv, '--output-style=static'], {
    cwd: root,
    stdio: 'inherit',
  });
  return result.status === 0;
}

function projectDirectories(root: string): string[] {
  const nested = ['libs', 'apps', 'tests'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  return [...nested, 'tools'];
}

function jestTally(root: string, directory: string): Tally[] {
  const path = join(root, directory, '.results.json');
  if (!existsSync(path)) return [];
  const report = JSON.parse(readFileSync(path, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numRuntimeErrorTestSuites: number;
  };
  return [{ passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites }];
}
