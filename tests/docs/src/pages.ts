import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const repositoryRoot = join(__dirname, '..', '..', '..');

/** A file of the repository. */
export const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');

export const exists = (path: string): boolean => existsSync(join(repositoryRoot, path));

/** Whether a path exists; each of its parts may be `*`, for any name. */
export function matches(pattern: string): boolean {
  const [head = '', ...tail] = pattern.split('/*');
  if (!exists(head)) return false;
  if (tail.length === 0) return true;
  return readdirSync(join(repositoryRoot, head)).some((name) => matches(`${head}/${name}${tail.join('/*')}`));
}

const markdownIn = (folder: string, recursive: boolean): string[] =>
  readdirSync(join(repositoryRoot, folder), { recursive, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
    .sort();

/** Every page of documentation. */
export const pages: readonly string[] = [
  ...markdownIn('.', false),
  ...markdownIn('docs', true),
  ...['k8s', 'catalogs'].flatMap((folder) => markdownIn(folder, false)),
];
