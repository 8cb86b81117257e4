// Declares settings: each once, with its meaning, its kind and its default. Environment name and command line flag follow
// from the path: `cluster.port` is TUTTI_CLUSTER_PORT and --cluster-port.
import { hostname } from 'node:os';

/** One setting. Made by the functions below; `T` is the type of its value in the loaded configuration. */
export interface Setting<T> {
  readonly kind: 'setting';
  readonly doc: string;
  readonly format: string | readonly string[];
  /** As one would write it in a file, such as '10s'; null when the setting has no default and must be given. */
  readonly default: unknown;
  /** Its value is never shown. */
  readonly sensitive?: boolean;
  readonly valueType?: T;
}

/** Settings by name, in groups as deep as you like. Spread groups of other schemas into it. */
export interface Settings {
  readonly [name: string]: Setting<unknown> | Settings;
}

/** The loaded values of a schema of settings. */
export type ConfigOf<S> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : ConfigOf<S[K]>;
};

const setting = <T>(format: string | readonly string[], fallback: unknown, doc: string): Setting<T> => ({
  kind: 'setting',
  format,
  default: fallback,
  doc,
});

/** A length of time such as '500ms', '1s', '5m'; the value is in milliseconds. */
export const duration = (fallback: string, doc: string): Setting<number> => setting('tutti-duration', fallback, doc);
/** A data size such as '512MB' or '4GB' (powers of two); the value is in bytes. */
export const size = (fallback: string, doc: string): Setting<number> => setting('tutti-size', fallback, doc);
/** A list, with commas between its items in the environment and on the command line. */
export const list = (fallback: readonly string[], doc: string): Setting<readonly string[]> =>
  setting('tutti-list', fallback, doc);
/** A list of addresses: 'host:port', or 'dns:NAME:PORT' for all addresses behind a DNS name. */
export const addressList = (fallback: readonly string[], doc: string): Setting<readonly string[]> =>
  setting('tutti-addresses', fallback, doc);
/** A text; '' is allowed and usually means "none". */
export const text = (fallback: string, doc: string): Setting<string> => setting('tutti-text', fallback, doc);
/** A text without a default: the program does not start without it. */
export const requiredText = (doc: string): Setting<string> => setting('tutti-required-text', null, doc);
/** A whole number that is not negative. */
export const count = (fallback: number, doc: string): Setting<number> => setting('tutti-count', fallback, doc);
/** A TCP port; 0 takes any free one. */
export const port = (fallback: number, doc: string): Setting<number> => setting('tutti-port', fallback, doc);
/** true or false. On the command line `--name` alone means true. */
export const flag = (fallback: boolean, doc: string): Setting<boolean> => setting('tutti-flag', fallback, doc);
/** One of a few words. */
export const choice = <const C extends readonly string[]>(choices: C, fallback: C[number], doc: string) =>
  setting<C[number]>(choices, fallback, doc);
/** The same setting, but no message ever shows its value. */
export const sensitive = <T>(plain: Setting<T>): Setting<T> => ({ ...plain, sensitive: true });

/** The settings that every role has. */
export const commonSettings = {
  node: {
    id: text(
      '',
      'Name of this node; must be unique in the cluster and the same after a restart. Default: role-host-port.',
    ),
    host: text(
      '',
      'Host name or address at which other nodes reach this one. Default: the host name, or bind.host if given.',
    ),
    exitWithStdin: flag(false, 'Drain and exit when standard input ends: for programs that start nodes'),
  },
  cluster: { port: port(9090, 'gRPC between the roles, and for grpcurl') },
  edge: { port: port(8080, 'gRPC, gRPC-Web, Connect and JSON over HTTP/1.1 or HTTP/2; bulk data on workers') },
  metrics: { port: port(9464, 'OpenMetrics at /metrics') },
  health: { port: port(9465, '/livez, /readyz and grpc.health.v1') },
  bind: { host: text('0.0.0.0', 'Address on which all ports listen') },
  resourceManagers: {
    addresses: addressList(
      [],
      "Resource managers: 'host:port', or 'dns:NAME:PORT' for every address behind a DNS name",
    ),
    resolveInterval: duration('5s', 'How often DNS names of resource managers are resolved again'),
  },
  log: {
    level: choice(['debug', 'info', 'warn', 'error'], 'info', 'Least level that is logged'),
    format: choice(
      ['auto', 'json', 'text'],
      'auto',
      'One JSON object per line, or text for people; auto asks the terminal',
    ),
  },
  drain: {
    grace: duration('30s', 'How long calls in flight may go on after the node stopped taking new ones'),
    announceDelay: duration('0s', 'How long a draining node goes on serving, so that others learn of it first'),
  },
};

/** The values of the common settings. */
export type CommonConfig = ConfigOf<typeof commonSettings>;

type Named = { readonly node: Pick<CommonConfig['node'], 'id' | 'host'> };

const LOOPBACK = /^(127\.|::1$|localhost$)/;
const ANY_ADDRESS = new Set(['', '0.0.0.0', '::']);

/** The host under which this node announces itself. */
export function advertisedHost(config: Named & Pick<CommonConfig, 'bind'>): string {
  if (config.node.host !== '') return config.node.host;
  if (LOOPBACK.test(config.bind.host)) return config.bind.host;
  return ANY_ADDRESS.has(config.bind.host) ? hostname() : config.bind.host;
}

/** The id of this node: as configured, or made of the role, the host and the cluster port. */
export const nodeIdOf = (config: Named & Pick<CommonConfig, 'cluster'>, role: string): string =>
  config.node.id !== '' ? config.node.id : `${role}-${hostname()}-${config.cluster.port}`;
