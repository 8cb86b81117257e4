import type { GroupFacts } from './group-check.js';
import { read } from './pages.js';

/** Reads what only the sources tell. */
export const groupFacts = (): GroupFacts => ({ placement: read('apps/coordinator/src/core/placement-waits.ts') });
