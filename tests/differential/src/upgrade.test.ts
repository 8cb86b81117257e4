import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/**
 * The engine with which all statements here were last compared. The engine's plans are no stable format: a new version may
 * write one that is taken for another, and then queries give wrong rows on several workers.
 */
const COMPARED_WITH = '1.5.6-r.1';

const STEPS = `The engine has changed. Its plans are read by strict lists, and are no stable format. Do this:
1. COUNT=50000 node node_modules/jest/bin/jest.js -c tests/differential/jest.config.mjs
2. Compare "run whole, by reason" in its tables with those of the old version: new reasons are operators, functions or fields
   that decodePlan (libs/sql/src/plan) does not know yet. Queries that only ran in stages before must do so again.
3. When nothing is wrong, write the new version into COMPARED_WITH of tests/differential/src/upgrade.test.ts.`;

test('the engine is the one that all statements were compared with', () => {
  const manifest = createRequire(import.meta.url).resolve('@duckdb/node-api/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  if (version !== COMPARED_WITH) throw new Error(`@duckdb/node-api is ${version} and was ${COMPARED_WITH}. ${STEPS}`);
});

test('the project names the version that is installed', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  expect(manifest.dependencies['@duckdb/node-api']).toBe(COMPARED_WITH);
});
