// Whether the tasks of a stage had better all read the tables of one side of a join than wait for a stage that reads them once.
//   W1. Only rows that a task has when it reads all of their tables (F4 of fragment.ts).
//   W2. A guess of times, in nanoseconds, on one core: what is chosen by it is right either way.
import { type Fragment, isDivided, REPLICATED } from './fragment.js';
import type { PlanType } from '../plan/plan.js';
import type { CutSettings } from './stage.js';

/** Tables of more than this many times the rows that every task reads anyway are not considered. */
const ROWS_FACTOR = 5;
/** Of a value that is read from a file: numbers, and texts or what has parts. */
const VALUE_NS = 10;
const LONG_VALUE_NS = 80;
/** Of a row that is written by hash, sent and read again. */
const MOVED_ROW_NS = 300;
/** Of a stage, whatever it does. */
const STAGE_NS = 15_000_000;

/** The rows of a fragment in every task; undefined where that is not possible, or not worth it. */
export function readWhole(build: Fragment, probe: Fragment, settings: CutSettings): Fragment | undefined {
  const { workers, replicatedRowsMax, broadcastRowsMax } = settings;
  if (!build.isRowwise || !isDivided(build) || !isDivided(probe)) return undefined;
  if (ownScans(build).some(({ rows }) => rows > replicatedRowsMax * ROWS_FACTOR)) return undefined;
  const isSmall = build.estimatedRows <= broadcastRowsMax;
  const share = 1 / Math.max(1, workers);
  const readAgainNs = readNs(ownScans(build)) * (1 - share);
  const moved = isSmall ? 0 : (build.estimatedRows + probe.estimatedRows) * share * MOVED_ROW_NS + STAGE_NS;
  return readAgainNs < STAGE_NS + moved ? inEveryTask(build) : undefined;
}

/** W1. */
function inEveryTask(fragment: Fragment): Fragment {
  const scans = fragment.scans.map((scan) => ({ ...scan, share: 'all' as const, ranges: undefined }));
  return { ...fragment, scans, distribution: REPLICATED };
}

/** Whether reading its tables takes less than a stage that does it once. */
export const isSoonRead = ({ scans }: Fragment): boolean => readNs(scans) < STAGE_NS;

const ownScans = ({ scans }: Fragment) => scans.filter(({ share }) => share === 'own');

const readNs = (scans: Fragment['scans']): number =>
  scans.reduce((sum, { rows, columns }) => sum + rows * columns.reduce((ns, { type }) => ns + valueNs(type), 0), 0);

const valueNs = ({ id, children }: PlanType): number =>
  id === 'VARCHAR' || id === 'BLOB' || children.length > 0 ? LONG_VALUE_NS : VALUE_NS;
