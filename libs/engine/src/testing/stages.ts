import type { PlanType, Stage } from '@tutti/sql';
import { statSync } from 'node:fs';
import type { FilePart } from '../stage-fragment.js';

export const planType = (sql: string): PlanType => ({ sql, id: sql.replace(/\(.*/, ''), children: [] });

/** A stage, as the cut makes it; what is not given is as simple as it can be. */
export const testStage = (stage: Partial<Stage> & Pick<Stage, 'sql' | 'types'>): Stage => ({
  id: '1',
  scans: [],
  reads: [],
  tasks: 1,
  output: { kind: 'files' },
  estimatedRows: 1,
  operators: [],
  distribution: 'single',
  ...stage,
});

/** A file as it is now, or some of its rows. */
export function filePart(path: string, firstRow = 0, endRow?: number): FilePart {
  const { size: fileBytes, mtimeMs: fileMtimeMs } = statSync(path);
  return { path, fileBytes, fileMtimeMs, firstRow, endRow };
}
