import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const library = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The path of an executor program for tests, bundled from the sources. */
export const executorProgram = (): string => bundle('executor-program', 'runExecutorProcess');

/** The path of a planner program for tests, bundled from the sources. */
export const plannerProgram = (): string => bundle('planner-program', 'runPlannerProcess');

const bundled = new Map<string, string>();

function bundle(module: string, entry: string): string {
  const known = bundled.get(module);
  if (known !== undefined) return known;
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import { ${entry} } from './${module}.js'; ${entry}();`,
      resolveDir: join(library, 'src'),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@tutti/source'],
    external: ['@duckdb/node-api'],
    write: false,
    logLevel: 'error',
  });
  // Inside the repository, so that the program finds the engine; renamed into place, since test files run side by side.
  const directory = join(library, 'dist', 'test-programs');
  const path = join(directory, `${module}.mjs`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(`${path}.${process.pid}`, outputFiles[0]?.contents ?? '');
  renameSync(`${path}.${process.pid}`, path);
  bundled.set(module, path);
  return path;
}
