import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_EXTENSIONS, type CatalogTable } from '@tutti/sql';

const FILES_MAX = 10_000;

/** The files of a table, or what is wrong with them. */
export async function tableFiles(table: CatalogTable): Promise<{ files: string[]; bytes: number; problems: string[] }> {
  const { source } = table;
  if ('prefix' in source) {
    const found = await filesBelow(source.prefix, FILE_EXTENSIONS[table.format]);
    if (typeof found === 'string') return { files: [], bytes: 0, problems: [found] };
    if (found.length === 0)
      return {
        files: [],
        bytes: 0,
        problems: [`no ${FILE_EXTENSIONS[table.format].join(' or ')} file below ${source.prefix}`],
      };
    if (found.length > FILES_MAX)
      return { files: [], bytes: 0, problems: [`more than ${FILES_MAX} files below ${source.prefix}`] };
    return measure(found);
  }
  return measure(source.files);
}

async function filesBelow(directory: string, extensions: readonly string[]): Promise<string[] | string> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.toLowerCase().endsWith(extension)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    return cannotRead(directory, error);
  }
}

async function measure(paths: readonly string[]): Promise<{ files: string[]; bytes: number; problems: string[] }> {
  const problems: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    try {
      const info = await stat(path);
      await access(path, constants.R_OK);
      if (!info.isFile()) problems.push(`${path} is no file`);
      bytes += info.size;
    } catch (error) {
      problems.push(cannotRead(path, error));
    }
  }
  return { files: [...paths], bytes, problems };
}

function cannotRead(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `${path} does not exist`;
  if (code === 'EACCES') return `${path} may not be read by this user`;
  return `${path} cannot be read: ${(error as Error).message}`;
}
