import { DuckDBInstance } from '@duckdb/node-api';

/** Nothing is ever installed or loaded: a misspelled function must fail at once, not reach for the network. */
const OPEN_OPTIONS = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
};

/** A new database in memory. */
export const openInstance = (options: Readonly<Record<string, string>> = {}): Promise<DuckDBInstance> =>
  DuckDBInstance.create(':memory:', { ...OPEN_OPTIONS, ...options });

/** What every connection that runs statements of users is set to. */
export const CONNECTION_SETTINGS = "SET errors_as_json = true; SET TimeZone = 'UTC'";
