import { readdir, readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ConfigError } from '@tutti/service';
import { type Catalog, decodeCatalog } from '@tutti/sql';

/** A catalog of many thousand columns is well below this. */
const FILE_BYTES_MAX = 64 << 20;

/** Reads every NAME.json of a directory as the catalog NAME. Throws ConfigError with everything that is wrong. */
export async function loadCatalogs(path: string, defaultCatalog: string): Promise<Catalog[]> {
  const directory = resolve(path);
  const files = await filesOf(directory);
  const problems: string[] = [];
  const catalogs: Catalog[] = [];
  for (const file of files) {
    const decoded = await decodeFile(join(directory, file), directory);
    if ('ok' in decoded) catalogs.push(decoded.ok);
    else problems.push(...decoded.problems.map((problem) => `${join(directory, file)}: ${problem}`));
  }
  if (files.length === 0) problems.push(`catalogs.path: there is no catalog file (NAME.json) in ${directory}`);
  const named = files.some((file) => file.toLowerCase() === `${defaultCatalog.toLowerCase()}.json`);
  if (files.length > 0 && !named) {
    problems.push(`catalogs.default: there is no file ${defaultCatalog}.json in ${directory}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return catalogs;
}

async function filesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  } catch (error) {
    throw new ConfigError([`catalogs.path: cannot read ${directory}: ${(error as Error).message}`]);
  }
}

async function decodeFile(file: string, directory: string): Promise<ReturnType<typeof decodeCatalog>> {
  try {
    const bytes = await readFile(file);
    if (bytes.length > FILE_BYTES_MAX) return { problems: [`the file has more than ${FILE_BYTES_MAX} bytes`] };
    return decodeCatalog(JSON.parse(bytes.toString('utf8')), { name: basename(file, '.json'), directory });
  } catch (error) {
    return { problems: [(error as Error).message] };
  }
}
