// Writes each project's tsconfig.json from its package.json, so that TypeScript's references and npm's
// dependencies cannot disagree. With --check it writes nothing and fails when a file is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { format } from 'prettier';
import { projects } from './layers.mjs';

const root = join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const all = projects(root);
const stale = [];

for (const project of all) {
  const references = project.internalDependencies
    .map((name) => all.find((other) => other.name === name))
    .map((other) => ({ path: relative(join(root, project.dir), join(root, other.dir)) }));
  const config = {
    extends: relative(join(root, project.dir), join(root, 'tsconfig.base.json')),
    compilerOptions: {
      rootDir: 'src',
      outDir: 'dist',
      tsBuildInfoFile: 'dist/tsconfig.tsbuildinfo',
      types: project.name === '@tutti/contracts' ? ['node'] : ['node', 'jest'],
    },
    include: ['src/**/*.ts'],
    references,
  };
  const path = join(root, project.dir, 'tsconfig.json');
  if (existsSync(path) && JSON.stringify(JSON.parse(readFileSync(path, 'utf8'))) === JSON.stringify(config)) continue;
  stale.push(relative(root, path));
  if (!check) writeFileSync(path, await format(JSON.stringify(config), { parser: 'json', printWidth: 120 }));
}

if (check && stale.length > 0) {
  console.error(`out of date: ${stale.join(', ')}; run: node tools/references.mjs`);
  process.exit(1);
}
