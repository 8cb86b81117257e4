// What the session of a request must be. Each check throws the error that the client gets.
import { durationMs, type Duration } from '@bufbuild/protobuf/wkt';
import { formatDuration, nearestName } from '@tutti/base';
import type { Session } from '@tutti/contracts/tutti/query/v1/query_pb';
import type { ResourceEstimates } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { QueryEstimates } from '@tutti/resource-groups';
import type { Catalog } from '@tutti/sql';
import type { QuerySession } from './core/query.js';
import { checkProperty, type SessionProperties } from './core/session-properties.js';
import { refuse } from './failure-codes.js';

export interface SessionLimits {
  readonly catalogs: readonly Catalog[];
  readonly defaultCatalog: string;
}

const DEFAULT_USER = 'anonymous';
const DEFAULT_SCHEMA = 'main';
const DEFAULT_PRIORITY = 1;
const NAME_LENGTH_MAX = 256;
const CLIENT_INFO_LENGTH_MAX = 1_000;
const CLIENT_TAGS_MAX = 100;

/** Who asks, with defaults filled in. */
export function checkSession(session: Session | undefined, limits: SessionLimits): QuerySession {
  const { user = '', source = '', principal = '', catalog = '', schema = '' } = session ?? {};
  const { clientInfo = '', clientTags = [], priority = 0, estimates, properties = {} } = session ?? {};
  for (const [name, value] of Object.entries({ user, source, principal, catalog, schema }))
    checkLength(name, value, NAME_LENGTH_MAX);
  checkLength('client_info', clientInfo, CLIENT_INFO_LENGTH_MAX);
  const known = checkCatalog(catalog || limits.defaultCatalog, limits.catalogs);
  return {
    user: user || DEFAULT_USER,
    source,
    catalog: known.name,
    schema: schema === '' ? defaultSchemaOf(known) : checkSchema(schema, known),
    schemaIsGiven: schema !== '',
    principal,
    clientInfo,
    clientTags: checkTags(clientTags),
    priority: checkPriority(priority),
    estimates: estimates === undefined ? {} : checkEstimates(estimates),
    properties: checkProperties(properties),
  };
}

function checkLength(name: string, value: string, most: number): void {
  if (value.length <= most) return;
  refuse('INVALID_ARGUMENT', `session.${name} has ${value.length} characters; the most is ${most}.`);
}

function checkTags(tags: readonly string[]): readonly string[] {
  if (tags.length > CLIENT_TAGS_MAX) {
    refuse('INVALID_ARGUMENT', `session.client_tags holds ${tags.length} tags; the most is ${CLIENT_TAGS_MAX}.`);
  }
  for (const [index, tag] of tags.entries()) checkLength(`client_tags[${index}]`, tag, NAME_LENGTH_MAX);
  return tags;
}

function checkProperties(properties: SessionProperties): SessionProperties {
  const checked = Object.entries(properties).map(([name, value]) => {
    const property = checkProperty(name, value);
    if ('problem' in property) return refuse('INVALID_ARGUMENT', `session.properties: ${property.problem}`);
    return [property.ok.name, property.ok.value] as const;
  });
  return Object.fromEntries(checked);
}

function checkPriority(priority: number): number {
  if (priority === 0) return DEFAULT_PRIORITY; // It was left out.
  if (priority < 0) refuse('INVALID_ARGUMENT', `session.priority must be at least 1; it is ${priority}.`);
  return priority;
}

function checkEstimates({ executionTime, cpuTime, peakMemoryBytes }: ResourceEstimates): QueryEstimates {
  if (peakMemoryBytes < 0n) {
    const was = `it is ${peakMemoryBytes}`;
    refuse('INVALID_ARGUMENT', `session.estimates.peak_memory_bytes must not be negative; ${was}.`);
  }
  return {
    ...(executionTime && { executionTimeMs: checkEstimate('execution_time', executionTime) }),
    ...(cpuTime && { cpuTimeMs: checkEstimate('cpu_time', cpuTime) }),
    ...(peakMemoryBytes > 0n && { peakMemoryBytes: Number(peakMemoryBytes) }),
  };
}

function checkEstimate(name: string, estimate: Duration): number {
  const ms = durationMs(estimate);
  if (ms >= 0) return ms;
  const was = `it is -${formatDuration(-ms)}`;
  return refuse('INVALID_ARGUMENT', `session.estimates.${name} must not be negative; ${was}.`);
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
