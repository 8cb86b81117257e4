// Where generated data lives on the disk.
//   D1. A directory with a marker is complete: data is written beside its place, under another name, and renamed.
//   D2. Nothing is ever removed that has no marker of ours, or no name of ours.
import { mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GeneratedTables } from './generate.js';
import { TABLE_NAMES } from './schema.js';

/** Says what a directory holds. It has no .json at its end, so that nobody takes it for a catalog. */
const MARKER = '.tutti-generated';

/** Grows when the same scale would give other data: older data is then made anew. */
const GENERATOR_VERSION = 1;

interface Marker {
  readonly generator: string;
  readonly version: number;
  readonly scale: number;
  readonly tables: GeneratedTables;
}

/** What is where data shall go. */
export type Found =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'complete'; readonly tables: GeneratedTables }
  | { readonly kind: 'other'; readonly why: string }
  | { readonly kind: 'foreign'; readonly why: string };

/** Looks at a directory: data of this scale and generator, other data of ours, or something that is none of ours. */
export async function inspectDirectory(directory: string, scale: number): Promise<Found> {
  const entries = await readdir(directory).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (entries.length === 0) return { kind: 'nothing' };
  const marker = entries.includes(MARKER) ? await readMarker(directory) : undefined;
  if (marker === undefined) return { kind: 'foreign', why: 'holds files that were not generated here' };
  if (marker.scale !== scale) return { kind: 'other', why: `holds data of scale ${marker.scale}` };
  if (marker.version !== GENERATOR_VERSION)
    return { kind: 'other', why: 'holds data of another version of the generator' };
  for (const { path, bytes } of TABLE_NAMES.flatMap((table) => marker.tables[table])) {
    const size = await stat(join(directory, path)).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== bytes)
      return { kind: 'other', why: `holds damaged data (${path} is ${size === undefined ? 'missing' : 'changed'})` };
  }
  return { kind: 'complete', tables: marker.tables };
}

async function readMarker(directory: string): Promise<Marker | undefined> {
  try {
    const marker = JSON.parse(await readFile(join(directory, MARKER), 'utf8')) as Marker;
    return marker.generator === 'tpch' ? marker : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function writeMarker(directory: string, scale: number, tables: GeneratedTables): Promise<void> {
  const marker: Marker = { generator: 'tpch', version: GENERATOR_VERSION, scale, tables };
  await writeFile(join(directory, MARKER), JSON.stringify(marker));
}

/** Makes an empty directory beside `directory`, and clears away those that dead processes left. */
export async function createPartial(directory: string): Promise<string> {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  const prefix = `${basename(directory)}.partial-`;
  for (const name of await readdir(parent)) {
    const pid = name.startsWith(prefix) ? /^(\d+)(\.old)?$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid)))) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
  const partial = join(parent, `${prefix}${process.pid}`);
  await mkdir(partial);
  return partial;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Puts the finished data in its place (D1). What was there before, data of ours or nothing, is gone afterwards. */
export async function publish(partial: string, directory: string, replace: boolean): Promise<void> {
  if (!replace) return rename(partial, directory);
  const old = `${partial}.old`;
  await rename(directory, old);
  await rename(partial, directory);
  await rm(old, { recursive: true, force: true });
}

/** Bytes that may still be written where `directory` is. */
export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}
