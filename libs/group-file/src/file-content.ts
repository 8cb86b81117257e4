import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { GROUP_FILE_BYTES_MAX, parseGroupConfig } from '@tutti/resource-groups';
import type { FileContent } from './core/reload-rules.js';
import { groupConfigVersion } from './group-config-version.js';

/** A file as the system tells it apart from another one, without its content. */
export type Fingerprint = string;

/** What stands at a path now, also behind symbolic links. Never rejects: what cannot be told is a fingerprint, too. */
export async function lookAt(file: string): Promise<FileLook> {
  try {
    const status = await stat(file, { bigint: true });
    return { fingerprint: fingerprintOf(status), problem: problemOf(status) };
  } catch (error) {
    const problem = cannotRead(error);
    return { fingerprint: problem, problem };
  }
}

export interface FileLook {
  readonly fingerprint: Fingerprint;
  /** Why the file is not worth reading. */
  readonly problem: string | undefined;
}

/** Reads and parses a file after a look at it. Never rejects: a file that cannot be read has one problem. */
export async function contentOf(file: string, { problem }: FileLook, known?: FileContent): Promise<FileContent> {
  if (problem !== undefined) return unreadable(problem);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return unreadable(cannotRead(error));
  }
  const key = groupConfigVersion(text);
  return known?.key === key ? known : { key, parsed: parseGroupConfig(text) };
}

const unreadable = (problem: string): FileContent => ({ key: problem, parsed: { problems: [problem] } });

const cannotRead = (error: unknown): string => `cannot be read: ${(error as Error).message}`;

/** Some systems keep times no finer than a second, so everything that may tell a difference is in it. */
const fingerprintOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): Fingerprint =>
  [dev, ino, size, mtimeNs, ctimeNs].join(':');

function problemOf(status: BigIntStats): string | undefined {
  if (!status.isFile()) return 'is no file';
  if (status.size <= GROUP_FILE_BYTES_MAX) return undefined;
  return `is too large: ${status.size} bytes, more than ${GROUP_FILE_BYTES_MAX}`;
}
