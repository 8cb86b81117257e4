import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError } from '@tutti/service';
import { type Catalog, decodeCatalog } from '@tutti/sql';

/** A catalog of many thousand columns is well below this. */
const FILE_BYTES_MAX = 64 << 20;

/**
 * Reads catalog files, and every NAME.json of the directories among `paths`, as the catalogs NAME. Throws ConfigError
 * with everything that is wrong.
 */
export async function loadCatalogs(paths: readonly string[], defaultCatalog: string): Promise<Catalog[]> {
  const problems: string[] = [];
  const catalogs: Catalog[] = [];
  const files: string[] = [];
  for (const path of paths.map((name) => resolve(name))) {
    const found = await filesOf(path).catch((error: Error) => {
      problems.push(`catalogs.path: cannot read ${path}: ${error.message}`);
      return undefined;
    });
    if (found?.length === 0) problems.push(`catalogs.path: there is no catalog file (NAME.json) in ${path}`);
    files.push(...(found ?? []));
  }
  for (const file of files) {
    const decoded = await decodeFile(file);
    if ('ok' in decoded) catalogs.push(decoded.ok);
    else problems.push(...decoded.problems.map((problem) => `${file}: ${problem}`));
  }
  problems.push(...doubles(files));
  const names = files.map(catalogName);
  if (files.length > 0 && !names.includes(defaultCatalog.toLowerCase())) {
    problems.push(`catalogs.default: there is no file ${defaultCatalog}.json in ${paths.join(', ')}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return catalogs;
}

const catalogName = (file: string): string => basename(file, '.json').toLowerCase();

function doubles(files: readonly string[]): string[] {
  const first = new Map<string, string>();
  return files.flatMap((file) => {
    const earlier = first.get(catalogName(file));
    if (earlier === undefined) first.set(catalogName(file), file);
    return earlier === undefined ? [] : [`catalogs.path: ${earlier} and ${file} both declare ${catalogName(file)}`];
  });
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = (await readdir(path)).filter((name) => name.endsWith('.json')).sort();
  return names.map((name) => join(path, name));
}

async function decodeFile(file: string): Promise<ReturnType<typeof decodeCatalog>> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > FILE_BYTES_MAX) return { problems: [`the file has more than ${FILE_BYTES_MAX} bytes`] };
    return decodeCatalog(JSON.parse(bytes.toString('utf8')), {
      name: basename(file, '.json'),
      directory: dirname(file),
    });
  } catch (error) {
    return { problems: [(error as Error).message] };
  }
}
