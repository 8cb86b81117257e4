// What a request must be before it becomes a query. Each check throws the error that the client gets.
import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { formatDuration, formatSize, nearestName } from '@tutti/base';
import type { Session } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { Catalog } from '@tutti/sql';
import { failure } from './core/query.js';
import type { NewStatement } from './dispatcher.js';
import { failureError } from './failure-codes.js';

export interface RequestLimits {
  readonly catalogs: readonly Catalog[];
  readonly defaultCatalog: string;
  readonly statementBytesMax: number;
  readonly executionMsMax: number;
}

const DEFAULT_USER = 'anonymous';
const DEFAULT_SCHEMA = 'main';
const NAME_LENGTH_MAX = 256;

export interface StatementRequest {
  readonly statement: string;
  readonly session?: Session | undefined;
  readonly timeLimit?: Duration | undefined;
}

/** The statement to run, with defaults filled in. */
export function checkStatement(request: StatementRequest, limits: RequestLimits): NewStatement {
  const bytes = Buffer.byteLength(request.statement);
  if (bytes > limits.statementBytesMax) {
    const most = formatSize(limits.statementBytesMax);
    refuse('QUERY_TEXT_TOO_LARGE', `The statement has ${formatSize(bytes)}; the most is ${most} (query.maxLength).`);
  }
  if (request.statement.trim() === '') refuse('EMPTY_STATEMENT', 'The statement is empty.');
  const { user = '', source = '', catalog = '', schema = '' } = request.session ?? {};
  for (const [name, value] of Object.entries({ user, source, catalog, schema })) {
    if (value.length > NAME_LENGTH_MAX) {
      refuse('INVALID_ARGUMENT', `session.${name} has ${value.length} characters; the most is ${NAME_LENGTH_MAX}.`);
    }
  }
  const known = checkCatalog(catalog || limits.defaultCatalog, limits.catalogs);
  return {
    statement: request.statement,
    session: {
      user: user || DEFAULT_USER,
      source,
      catalog: known.name,
      schema: schema === '' ? defaultSchemaOf(known) : checkSchema(schema, known),
    },
    timeLimitMs: checkTimeLimit(request.timeLimit, limits.executionMsMax),
  };
}

function checkCatalog(name: string, catalogs: readonly Catalog[]): Catalog {
  const found = catalogs.find((catalog) => sameName(catalog.name, name));
  return found ?? refuse('CATALOG_NOT_FOUND', `Catalog "${name}" does not exist.${hint(name, catalogs)}`);
}

function checkSchema(name: string, catalog: Catalog): string {
  const found = catalog.schemas.find((schema) => sameName(schema.name, name));
  const message = `Schema "${catalog.name}.${name}" does not exist.${hint(name, catalog.schemas)}`;
  return found?.name ?? refuse('SCHEMA_NOT_FOUND', message);
}

/** "main", or the first schema of a catalog that has none of that name. */
const defaultSchemaOf = ({ schemas }: Catalog): string =>
  (schemas.find(({ name }) => sameName(name, DEFAULT_SCHEMA)) ?? schemas[0])?.name ?? DEFAULT_SCHEMA;

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function hint(name: string, known: readonly { readonly name: string }[]): string {
  const names = known.map((one) => one.name);
  const nearest = nearestName(name, names);
  return nearest === undefined ? ` There is: ${names.join(', ')}.` : ` Did you mean "${nearest}"?`;
}

/** Default and maximum is the coordinator's own limit. */
function checkTimeLimit(timeLimit: Duration | undefined, mostMs: number): number {
  if (timeLimit === undefined) return mostMs;
  const ms = durationMs(timeLimit);
  if (ms <= 0) refuse('INVALID_ARGUMENT', `time_limit must be longer than zero; it is ${formatDuration(ms)}.`);
  return Math.min(ms, mostMs);
}

const PAGE_SIZE_DEFAULT = 100;
const PAGE_SIZE_MAX = 1_000;

export function checkPageSize(pageSize: number): number {
  if (pageSize < 0) refuse('INVALID_ARGUMENT', `page_size must not be negative; it is ${pageSize}.`);
  return pageSize === 0 ? PAGE_SIZE_DEFAULT : Math.min(pageSize, PAGE_SIZE_MAX);
}

const WAIT_MS_DEFAULT = 1_000;
const WAIT_MS_MAX = 30_000;

export function checkMaxWait(maxWait: Duration | undefined): number {
  if (maxWait === undefined) return WAIT_MS_DEFAULT;
  const ms = durationMs(maxWait);
  if (ms < 0) refuse('INVALID_ARGUMENT', 'max_wait must not be negative.');
  return Math.min(ms, WAIT_MS_MAX);
}

/** Refuses a request that makes no sense. */
export function refuse(reason: string, message: string): never {
  throw failureError(failure(reason, message));
}
