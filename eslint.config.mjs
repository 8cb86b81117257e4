import tseslint from 'typescript-eslint';
import { bannedInCore, mayImport, projects } from './tools/layers.mjs';

const root = import.meta.dirname;
const all = projects(root);

/** What a project may not import: workspace packages outside its layer or its package.json, and other projects' files. */
function importRule(project, asLayer = project.layer, inTests = false) {
  const forbidden = all.filter(
    (other) =>
      other.name !== project.name &&
      !(mayImport[asLayer].includes(other.layer) && project.internalDependencies.includes(other.name)),
  );
  const patterns = forbidden.map((other) => ({
    group: [other.name, `${other.name}/*`],
    message: `${project.dir} (layer ${asLayer}) may not import ${other.name}: see tools/layers.mjs and its package.json.`,
  }));
  patterns.push({
    regex: '^(\\.\\./)+(libs|apps|tests|tools)/',
    message: 'Import another project by its package name, never by its files.',
  });
  if (!inTests && (asLayer === 'core' || asLayer === 'base')) {
    patterns.push({
      group: asLayer === 'core' ? bannedInCore : bannedInCore.filter((name) => name !== 'node:*'),
      message: 'Core code is pure: no Node, no RPC library, no wire types.',
    });
  }
  if (!inTests && asLayer !== 'test') {
    patterns.push({ group: ['@tutti/*/testing'], message: 'Test support is for *.test.ts files and tests/.' });
  }
  return { 'no-restricted-imports': ['error', { patterns }] };
}

const pureFiles = all.flatMap((project) => {
  if (project.layer === 'core') return [`${project.dir}/src/**/*.ts`];
  return [`${project.dir}/src/core/**/*.ts`];
});

export default tseslint.config(
  { ignores: ['**/dist/**', '**/bundle/**', '**/node_modules/**', 'libs/contracts/src/gen/**', '.nx/**', '.tutti/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  ...all.map((project) => ({ files: [`${project.dir}/src/**/*.ts`], rules: importRule(project) })),
  ...all
    .filter((project) => project.layer === 'shell')
    .map((project) => ({ files: [`${project.dir}/src/core/**/*.ts`], rules: importRule(project, 'core') })),
  {
    files: pureFiles,
    ignores: ['**/*.test.ts', '**/src/testing/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        'setTimeout',
        'setInterval',
        'setImmediate',
        'process',
        'console',
        'performance',
        'Buffer',
        'fetch',
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Time is an argument.' },
        { object: 'Math', property: 'random', message: 'Chance is an argument.' },
      ],
    },
  },
  ...all.map((project) => ({
    files: [`${project.dir}/src/**/*.test.ts`, `${project.dir}/src/testing/**/*.ts`],
    rules: importRule(project, project.layer, true),
  })),
  { files: ['**/*.mjs', 'tools/**/*.ts', 'apps/cli/**/*.ts'], rules: { 'no-console': 'off' } },
);
