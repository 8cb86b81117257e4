import { formatDuration, formatSize } from '@tutti/base';
import type { EstimateRange, QueryType, Selector } from './group-config.js';
import type { NamePattern } from './name-pattern.js';

/** What selectors look at. */
export interface SelectionCriteria {
  readonly user: string;
  /** What program the query comes from. Absent is the same as empty, as with the next two. */
  readonly source?: string | undefined;
  /** The authenticated identity. */
  readonly principal?: string | undefined;
  readonly clientInfo?: string | undefined;
  readonly clientTags?: readonly string[] | undefined;
  readonly queryType?: QueryType | undefined;
  /** The schema of the session. A query without one matches every selector's schema, as in Presto. */
  readonly schema?: string | undefined;
  /** What the client expects of the query. */
  readonly estimates?: QueryEstimates | undefined;
}

/** What a client expects a query to take. */
export interface QueryEstimates {
  readonly executionTimeMs?: number | undefined;
  readonly cpuTimeMs?: number | undefined;
  readonly peakMemoryBytes?: number | undefined;
}

/** One thing that a selector may ask for. Algorithm: Presto's StaticSelector (reference: presto.md 3.3). */
interface Check {
  passes(selector: Selector, criteria: SelectionCriteria): boolean;
  /** Why it does not pass, for people. */
  says(selector: Selector, criteria: SelectionCriteria): string;
}

const pattern = (
  what: string,
  of: (s: Selector) => NamePattern | undefined,
  value: (c: SelectionCriteria) => string,
) => ({
  passes: (selector: Selector, criteria: SelectionCriteria) => of(selector)?.matches(value(criteria)) ?? true,
  says: (selector: Selector, criteria: SelectionCriteria) =>
    `${what} ${shown(value(criteria))} does not match ${of(selector)?.text ?? ''}`,
});

const ESTIMATES = ['executionTimeMs', 'cpuTimeMs', 'peakMemoryBytes'] as const;
type Estimate = (typeof ESTIMATES)[number];
const ESTIMATE_NAMES: Readonly<Record<Estimate, string>> = {
  executionTimeMs: 'executionTime',
  cpuTimeMs: 'cpuTime',
  peakMemoryBytes: 'peakMemory',
};

const CHECKS: readonly Check[] = [
  pattern(
    'user',
    ({ user }) => user,
    ({ user }) => user,
  ),
  pattern(
    'source',
    ({ source }) => source,
    ({ source = '' }) => source,
  ),
  pattern(
    'principal',
    ({ principal }) => principal,
    ({ principal = '' }) => principal,
  ),
  pattern(
    'client info',
    ({ clientInfo }) => clientInfo,
    ({ clientInfo = '' }) => clientInfo,
  ),
  {
    passes: ({ clientTags }, criteria) => missingTags(clientTags, criteria).length === 0,
    says: ({ clientTags }, criteria) =>
      `the client tags lack ${missingTags(clientTags, criteria).map(shown).join(', ')}`,
  },
  {
    passes: ({ queryType }, criteria) => queryType === undefined || queryType === criteria.queryType,
    says: ({ queryType = '' }, criteria) => `the query type is ${criteria.queryType ?? 'not known'}, not ${queryType}`,
  },
  {
    passes: ({ schema }, criteria) =>
      schema === undefined || criteria.schema === undefined || schema.toLowerCase() === criteria.schema.toLowerCase(),
    says: ({ schema = '' }, criteria) => `the schema is ${shown(criteria.schema ?? '')}, not ${shown(schema)}`,
  },
  ...ESTIMATES.map((estimate): Check => ({
    passes: ({ selectorResourceEstimate: ranges }, { estimates }) =>
      ranges?.[estimate] === undefined || isWithin(estimates?.[estimate], ranges[estimate]),
    says: ({ selectorResourceEstimate: ranges }, { estimates }) => {
      const value = estimates?.[estimate];
      if (value === undefined) return `the query has no estimate of ${ESTIMATE_NAMES[estimate]}`;
      const range = rangeText(estimate, ranges?.[estimate] ?? {});
      return `the estimate of ${ESTIMATE_NAMES[estimate]} is ${amount(estimate, value)}, not ${range}`;
    },
  })),
];

/** Whether a selector takes the query. */
export const matchesSelector = (selector: Selector, criteria: SelectionCriteria): boolean =>
  CHECKS.every((check) => check.passes(selector, criteria));

/** The first thing that a selector asks for and the query has not; undefined when it takes the query. */
export const mismatch = (selector: Selector, criteria: SelectionCriteria): string | undefined =>
  CHECKS.find((check) => !check.passes(selector, criteria))?.says(selector, criteria);

/** A value that a client chose, in quotes and not longer than a line. */
export const shown = (value: string): string =>
  JSON.stringify(value.length > SHOWN_LENGTH_MAX ? `${value.slice(0, SHOWN_LENGTH_MAX)}...` : value);
const SHOWN_LENGTH_MAX = 100;

const missingTags = (wanted: readonly string[] | undefined, { clientTags = [] }: SelectionCriteria): string[] =>
  wanted?.filter((tag) => !clientTags.includes(tag)) ?? [];

/** Both ends belong to the range; what is not known is in no range. */
const isWithin = (value: number | undefined, { min = 0, max = Infinity }: EstimateRange): boolean =>
  value !== undefined && value >= min && value <= max;

const amount = (estimate: Estimate, value: number): string =>
  estimate === 'peakMemoryBytes' ? formatSize(value) : formatDuration(value);

function rangeText(estimate: Estimate, { min, max }: EstimateRange): string {
  if (max === undefined) return `at least ${amount(estimate, min ?? 0)}`;
  return min === undefined
    ? `at most ${amount(estimate, max)}`
    : `${amount(estimate, min)} to ${amount(estimate, max)}`;
}
