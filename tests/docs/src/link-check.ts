// Links between pages, and paths that ARCHITECTURE.md names.
import { posix } from 'node:path';
import { anchors, codeSpans, links, section, tableRows } from './markdown.js';

/** How the checks see the repository; tests give them another one. */
export interface Files {
  exists(path: string): boolean;
  read(path: string): string;
}

/** Links of the page that lead to no file, or to no heading of it. */
export function linkProblems(path: string, page: string, files: Files): string[] {
  return links(page)
    .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target))
    .flatMap((target) => {
      const [file = '', anchor] = target.split('#');
      const to = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), decodeURI(file)));
      if (to.startsWith('..') || !files.exists(to)) return [`${path}: ${target} leads to no file`];
      if (anchor === undefined) return [];
      const text = file === '' ? page : files.read(to);
      return anchors(text).includes(anchor) ? [] : [`${path}: ${target} leads to no heading`];
    });
}

const PATHS = 'Where things are';

/** Paths of the table "Where things are", and others like them in the page, that do not exist. */
export function pathProblems(page: string, matches: (pattern: string) => boolean): string[] {
  const named = tableRows(section(page, PATHS) ?? '').flatMap(([folder = '']) => codeSpans(folder));
  if (named.length === 0) return [`there is no table of paths in "${PATHS}"`];
  const others = codeSpans(page).filter((code) => /^(libs|apps|tests|tools|docs|proto|k8s|catalogs)\//.test(code));
  const missing = new Set([...named, ...others].filter((path) => !matches(path.replace(/\/$/, ''))));
  return [...missing].map((path) => `there is no ${path}`);
}
