import { statSync } from 'node:fs';
import { unreadableFile } from '../duckdb/unreadable-table.js';
import type { TaskError } from '../engine.js';
import type { FilePart, TableSource } from '../stage-fragment.js';

/** The error for a file that is not what it was when the query was planned; undefined when it is. */
export function changedFile(source: TableSource, part: FilePart): TaskError | undefined {
  const now = statSync(part.path, { throwIfNoEntry: false });
  const say = (problem: string) => unreadableFile({ ...source, files: [] }, part.path, problem);
  if (now === undefined) return say('it does not exist any more');
  if (now.size === part.fileBytes && Math.floor(now.mtimeMs) === Math.floor(part.fileMtimeMs)) return undefined;
  return say('it has changed since the query was planned; send the statement again');
}
