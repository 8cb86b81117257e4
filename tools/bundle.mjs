// node tools/bundle.mjs apps/worker [folder]: one file per entry, with everything but native code in it. The default
// folder is the project's own bundle/.
// Entries are named in the project's package.json under tutti.entries; the default is main = src/main.ts.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { makeLean } from './lean-source-map.mjs';

const [, , project, named] = process.argv;
const outdir = named ?? join(project, 'bundle');
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
const entries = manifest.tutti?.entries ?? { main: 'src/main.ts' };

// A folder that was named by mistake must not lose what is in it.
if (named !== undefined && existsSync(named) && readdirSync(named).length > 0) {
  console.error(`${named} is not empty: name a folder that is, or none for ${join(project, 'bundle')}.`);
  process.exit(1);
}
rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(project, path)])),
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  conditions: ['@tutti/source'],
  external: ['@duckdb/node-api', 'esbuild'],
  sourcemap: 'linked',
  sourcesContent: false,
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
  // winston, convict and grpc-js are CommonJS and call require() of Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); import { fileURLToPath as __fileURLToPath } from 'node:url'; import { dirname as __dirnameOf } from 'node:path'; const __filename = __fileURLToPath(import.meta.url); const __dirname = __dirnameOf(__filename);",
  },
});
for (const name of Object.keys(entries)) makeLean(join(outdir, `${name}.mjs.map`));
