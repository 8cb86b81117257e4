// The import rule of the repository, in one place: base <- wire, core <- shell <- apps; only tests see everything.
// eslint.config.mjs turns it into lint rules, references.mjs into TypeScript references.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const mayImport = {
  base: ['base'],
  wire: ['wire'],
  core: ['base', 'core'],
  shell: ['base', 'wire', 'core', 'shell'],
  app: ['base', 'wire', 'core', 'shell'],
  tool: ['base', 'wire', 'core', 'shell'],
  test: ['base', 'wire', 'core', 'shell', 'app', 'tool', 'test'],
};

/** Packages that core code must not import: it knows no Node, no RPC library and no wire types. */
export const bannedInCore = ['node:*', '@grpc/*', '@connectrpc/*', '@bufbuild/*', '@duckdb/*', 'winston', 'convict'];

/** Every workspace project: its folder, package name, layer and the workspace packages that it declares. */
export function projects(root) {
  const dirs = ['libs', 'apps', 'tests']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => `${group}/${name}`))
    .concat('tools')
    .filter((dir) => existsSync(join(root, dir, 'package.json')));
  return dirs.map((dir) => {
    const manifest = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
    const tag = (manifest.nx?.tags ?? []).find((value) => value.startsWith('layer:'));
    const layer = tag?.slice('layer:'.length);
    if (!(layer in mayImport))
      throw new Error(`${dir}/package.json: nx.tags needs one of layer:${Object.keys(mayImport).join(', layer:')}`);
    const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };
    const internalDependencies = Object.keys(dependencies).filter((name) => name.startsWith('@tutti/'));
    return { dir, name: manifest.name, layer, internalDependencies };
  });
}
