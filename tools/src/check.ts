import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  /** What to do when it fails. */
  readonly remedy: string;
}

const node = process.execPath;
const buf = [node, 'node_modules/@bufbuild/buf/bin/buf'];

/** What no test can see: generated files that are out of date, contracts that break, formatting. */
export const CHECKS: readonly Check[] = [
  {
    name: 'project references',
    command: [node, 'tools/references.mjs', '--check'],
    remedy: 'run: node tools/references.mjs',
  },
  { name: 'contracts: lint', command: [...buf, 'lint'], remedy: 'mend the .proto files' },
  {
    name: 'contracts: format',
    command: [...buf, 'format', '--diff', '--exit-code', '--path', 'proto/tutti'],
    remedy: 'run: npx buf format -w --path proto/tutti',
  },
  {
    name: 'contracts: generated code',
    command: [node, 'tools/generated.mjs'],
    remedy: 'run: npm run generate, and commit what it wrote',
  },
  {
    name: 'contracts: compatible with the last release',
    command: [...buf, 'breaking', '--against', 'proto/released.binpb'],
    remedy: 'never change or reuse a field; add one. For a release: npx buf build -o proto/released.binpb',
  },
  {
    name: 'formatting',
    command: [node, 'node_modules/prettier/bin/prettier.cjs', '--check', '.'],
    remedy: 'run: npm run format',
  },
];

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly output: string;
  readonly remedy: string;
}

export function runChecks(root: string): CheckResult[] {
  const path = `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`;
  return CHECKS.map(({ name, command, remedy }) => {
    const [file = node, ...args] = command;
    const result = spawnSync(file, args, { cwd: root, encoding: 'utf8', env: { ...process.env, PATH: path } });
    return { name, ok: result.status === 0, output: `${result.stdout ?? ''}${result.stderr ?? ''}`.trim(), remedy };
  });
}

export function printChecks(results: readonly CheckResult[]): void {
  for (const result of results) {
    console.log(`${result.ok ? 'ok    ' : 'FAILED'} ${result.name}`);
    if (!result.ok) console.log(`${result.output}\n       ${result.remedy}`);
  }
}

/** `npm run check`. */
export function check(root: string): number {
  const results = runChecks(root);
  printChecks(results);
  return results.every((result) => result.ok) ? 0 : 1;
}
