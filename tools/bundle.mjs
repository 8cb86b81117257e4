// node tools/bundle.mjs apps/worker [folder]: one file per entry, with everything but native code in it. The default
// folder is the project's own bundle/.
// Entries are named in the project's package.json under tutti.entries; the default is main = src/main.ts.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { makeLean } from './lean-source-map.mjs';

const [, , project, outdir = join(project, 'bundle')] = process.argv;
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
const entries = manifest.tutti?.entries ?? { main: 'src/main.ts' };

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
