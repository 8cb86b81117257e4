import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FILE_EXTENSIONS, type CatalogTable } from '@tutti/sql';

const FILES_MAX = 10_000;

/** The files of a table, or what is wrong with them. */
export interface TableFiles {
  readonly files: readonly string[];
  readonly bytes: number;
  readonly problems: readonly string[];
  /** Another one when a file has come, gone or changed, or may be read by others. */
  readonly version: string;
}

export async function tableFiles(table: CatalogTable): Promise<TableFiles> {
  const { source } = table;
  if ('files' in source) return measure(source.files);
  const endings = FILE_EXTENSIONS[table.format];
  const found = await filesBelow(source.prefix, endings);
  if (typeof found === 'string') return noFiles(found);
  if (found.length === 0) return noFiles(`no ${endings.join(' or ')} file below ${source.prefix}`);
  if (found.length > FILES_MAX) return noFiles(`more than ${FILES_MAX} files below ${source.prefix}`);
  return measure(found);
}

const noFiles = (problem: string): TableFiles => ({ files: [], bytes: 0, problems: [problem], version: problem });

async function filesBelow(directory: string, extensions: readonly string[]): Promise<string[] | string> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.toLowerCase().endsWith(extension)))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    return `directory ${directory}: ${whyNot(error)}`;
  }
}

async function measure(paths: readonly string[]): Promise<TableFiles> {
  const problems: string[] = [];
  const version = createHash('sha256');
  let bytes = 0;
  for (const path of paths) {
    try {
      const info = await stat(path);
      version.update(`${path}:${info.size}:${info.mtimeMs}:${info.ctimeMs}:${info.ino};`);
      await access(path, constants.R_OK);
      if (!info.isFile()) problems.push(`file ${path}: it is no file`);
      bytes += info.size;
    } catch (error) {
      problems.push(`file ${path}: ${whyNot(error)}`);
    }
  }
  return { files: paths, bytes, problems, version: version.update(problems.join()).digest('hex') };
}

function whyNot(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it does not exist';
  if (code === 'EACCES') return 'the coordinator may not read it';
  return message;
}
