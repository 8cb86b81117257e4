import type { QuerySession } from '../core/query.js';
import { limitsOf, type QueryLimits } from '../core/query-limits.js';

/** Somebody who says nothing special. */
export const aSession: QuerySession = {
  user: 'ada',
  source: '',
  catalog: 'demo',
  schema: 'main',
  schemaIsGiven: false,
  principal: '',
  clientInfo: '',
  clientTags: [],
  priority: 1,
  estimates: {},
  properties: {},
};

/** An hour, and otherwise what there is. */
export const noLimits: QueryLimits = limitsOf(
  { executionMs: undefined, cpuMs: undefined, memoryBytes: undefined },
  3_600_000,
);
