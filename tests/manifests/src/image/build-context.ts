import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { repositoryRoot } from '../kustomize.js';

/** Says of a path in the repository whether .dockerignore lets it into the build: the last line that fits decides. */
export function contextFilter(dockerignore: string): (path: string) => boolean {
  const rules = dockerignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ admits: line.startsWith('!'), pattern: asPattern(line.replace(/^!/, '')) }));
  return (path) => rules.reduce((admitted, { admits, pattern }) => (pattern.test(path) ? admits : admitted), true);
}

/** A pattern fits a path and everything below it. */
function asPattern(line: string): RegExp {
  const body = line
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\//g, '(?:.*/)?')
    .replace(/(?<!\.)\*/g, '[^/]*');
  return new RegExp(`^${body}(?:/|$)`);
}

/** Copies what Docker would send to the builder into `target`. */
export function copyContext(target: string): void {
  const admits = contextFilter(readFileSync(join(repositoryRoot, '.dockerignore'), 'utf8'));
  const copyBelow = (directory: string): void => {
    for (const entry of readdirSync(join(repositoryRoot, directory), { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.name === 'node_modules' || entry.name === '.git') continue;
      if (entry.isDirectory()) copyBelow(path);
      else if (admits(path)) cpSync(join(repositoryRoot, path), join(target, path));
    }
  };
  copyBelow('');
}

/**
 * Stands in for `npm install` in a copied context: links what is installed in this repository. The project's own packages
 * are linked to the copy, so that what the context lacks is missed.
 */
export function installFromRepository(target: string): void {
  const install = (directory: string): void => {
    for (const entry of readdirSync(join(repositoryRoot, directory))) {
      if (entry.startsWith('@')) {
        install(join(directory, entry));
        continue;
      }
      const real = relative(repositoryRoot, realpathSync(join(repositoryRoot, directory, entry)));
      const own = !real.split('/').includes('node_modules');
      mkdirSync(join(target, directory), { recursive: true });
      symlinkSync(join(own ? target : repositoryRoot, real), join(target, directory, entry));
    }
  };
  const withModules = [
    '',
    ...['libs', 'apps'].flatMap((group) => readdirSync(join(repositoryRoot, group)).map((name) => join(group, name))),
  ];
  for (const directory of withModules) {
    const modules = join(directory, 'node_modules');
    if (readdirSync(join(repositoryRoot, directory)).includes('node_modules')) install(modules);
  }
}
