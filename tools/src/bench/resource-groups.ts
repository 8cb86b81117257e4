import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { THOUSAND_GROUPS } from './group-file-maker.js';
import { GROUP_QUERIES, type GroupSpeed, measureGroupSpeed } from './group-speed.js';

export interface ResourceGroupsReport extends GroupSpeed {
  /** Of the heap, its id included. */
  readonly bytesPerQueuedQuery: number;
}

/** What admission costs with 1,000 groups and 100,000 queries that wait. */
export async function resourceGroups(root: string, say: (text: string) => void): Promise<ResourceGroupsReport> {
  say('measuring events with 1,000 and 100,000 queries that wait, and a plain queue, in turn ...');
  const speed = measureGroupSpeed({
    shape: THOUSAND_GROUPS,
    queries: GROUP_QUERIES,
    rounds: 16,
    stepsPerRound: 20_000,
    reloads: 20,
  });
  say('measuring memory ...');
  return { ...speed, bytesPerQueuedQuery: await measureMemory(root) };
}

/** In a process of its own: nothing else is in its heap, and it can collect garbage when it likes. */
async function measureMemory(root: string): Promise<number> {
  const program = join(root, 'tools/bundle/group-memory.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--enable-source-maps', program]);
  return (JSON.parse(stdout) as Pick<ResourceGroupsReport, 'bytesPerQueuedQuery'>).bytesPerQueuedQuery;
}
