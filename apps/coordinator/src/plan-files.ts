// The files that a plan is made of, and whether they are still as they were.
import { stat } from 'node:fs/promises';
import type { EnginePlan } from '@tutti/engine';

/** A file as the planner found it. */
export interface FileVersion {
  readonly bytes: number;
  readonly mtimeMs: number;
}

/** How a file is looked at; undefined when it cannot be. */
export type LookAtFile = (path: string) => Promise<FileVersion | undefined>;

export async function lookAtFile(path: string): Promise<FileVersion | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, mtimeMs };
  } catch {
    return undefined; // Whoever plans anew says what is wrong with it.
  }
}

const LOOKS_AT_ONCE = 64;

/** Whether every file of a plan is as it was when the plan was made. */
export async function hasItsFiles(plan: EnginePlan, look: LookAtFile): Promise<boolean> {
  const files = [...filesOf(plan)];
  for (let i = 0; i < files.length; i += LOOKS_AT_ONCE) {
    const same = await Promise.all(files.slice(i, i + LOOKS_AT_ONCE).map((file) => isSame(file, look)));
    if (!same.every(Boolean)) return false;
  }
  return true;
}

async function isSame([path, { bytes, mtimeMs }]: [string, FileVersion], look: LookAtFile): Promise<boolean> {
  const now = await look(path);
  return now !== undefined && now.bytes === bytes && now.mtimeMs === mtimeMs;
}

function filesOf(plan: EnginePlan): Map<string, FileVersion> {
  const files = new Map<string, FileVersion>();
  if (plan.kind === 'whole') return files;
  for (const { splits } of plan.tables) {
    for (const { path, fileBytes: bytes, fileMtimeMs: mtimeMs } of splits) files.set(path, { bytes, mtimeMs });
  }
  return files;
}

/** A decoded plan is about that many times as large as its text. */
const DECODED_FACTOR = 10;
const SPLIT_BYTES = 300;
const RANGE_BYTES = 150;

/** The memory that a plan takes, about: none when it has only a reason. */
export function planBytes(plan: EnginePlan): number {
  if (plan.kind === 'whole') return 0;
  const text = plan.planJson.length * DECODED_FACTOR + (plan.explainJson?.length ?? 0);
  const splits = plan.tables.flatMap((table) => table.splits);
  return splits.reduce((sum, { ranges }) => sum + SPLIT_BYTES + RANGE_BYTES * Object.keys(ranges).length, text);
}
