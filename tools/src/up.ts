import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCli } from './cli-process.js';
import { gen } from './gen.js';
import { LocalCluster } from './local-cluster.js';
import { roleEnvironment, ROLES, settingsOfRole } from './role-environment.js';

/** The statement that `npm start` shows: a join of three million flights with the airports they left from. */
const DEMO_STATEMENT = `SELECT a.city, f.origin, count(*) AS flights, round(avg(f.delay), 1) AS avg_delay_minutes
FROM demo.flights AS f JOIN demo.airports AS a ON a.iata = f.origin
GROUP BY a.city, f.origin HAVING count(*) > 10000
ORDER BY avg_delay_minutes DESC, f.origin LIMIT 10`;

const USAGE = `npm start -- [options]      starts a cluster on this machine and runs a query

  --once                    stop after the query, with its exit code
  --sql STATEMENT           the query to run instead of the demo
  --json                    print one JSON object: rows, endpoints and times
  --coordinators N          how many coordinators (default 2)
  --workers N               how many workers (default 2)
  --resource-managers N     how many resource managers (default 3)
  --resource-groups FILE    who may run how much; edit it while it runs (default: one group "global")
  --catalogs PATH           folder of catalog files (default: catalogs/ and generated TPC-H data)
  --catalog NAME            catalog of table names that name none (default: demo, or the first of --catalogs)
  --edge-port PORT          edge port of the first coordinator, when it is free (default 8080)

Settings of the roles come from the environment, for example TUTTI_TASK_THREADS=1 npm start: each role gets those that
it has. docs/configuration.md lists them.
`;

export interface UpOptions {
  readonly once: boolean;
  readonly json: boolean;
  readonly statement: string;
  readonly coordinators: number;
  readonly workers: number;
  readonly resourceManagers: number;
  readonly resourceGroups: string | undefined;
  readonly catalogs: string | undefined;
  readonly catalog: string | undefined;
  readonly edgePort: number;
}

/** A statement that begins with a comment looks like an option to the parser: it is attached to the option that it belongs to. */
const commentedStatement = (arg: string, index: number, argv: readonly string[]): string[] => {
  const isComment = (text: string | undefined) => /^--\s/.test(text ?? '');
  if (arg === '--sql' && isComment(argv[index + 1])) return [`--sql=${argv[index + 1]}`];
  return argv[index - 1] === '--sql' && isComment(arg) ? [] : [arg];
};

/** Reads the command line; the answer is a text for the user when it is wrong or asks for help. */
export function parseUpOptions(
  argv: readonly string[],
): UpOptions | { readonly usage: string; readonly exitCode: number } {
  let values;
  try {
    values = parseArgs({
      args: argv.flatMap(commentedStatement),
      options: {
        once: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        sql: { type: 'string', default: DEMO_STATEMENT },
        coordinators: { type: 'string', default: '2' },
        workers: { type: 'string', default: '2' },
        'resource-managers': { type: 'string', default: '3' },
        'resource-groups': { type: 'string' },
        catalogs: { type: 'string' },
        catalog: { type: 'string' },
        'edge-port': { type: 'string', default: '8080' },
      },
    }).values;
  } catch (error) {
    return { usage: `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, exitCode: 2 };
  }
  if (values.help) return { usage: USAGE, exitCode: 0 };
  const problems: string[] = [];
  const count = (name: 'coordinators' | 'workers' | 'resource-managers' | 'edge-port', min: number, max: number) => {
    const value = Number(values[name]);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    problems.push(`--${name} must be a whole number from ${min} to ${max}, was ${JSON.stringify(values[name])}`);
    return min;
  };
  const options: UpOptions = {
    once: values.once,
    json: values.json,
    statement: values.sql,
    coordinators: count('coordinators', 1, 16),
    workers: count('workers', 1, 16),
    resourceManagers: count('resource-managers', 1, 5),
    edgePort: count('edge-port', 1, 65_535),
    resourceGroups: values['resource-groups'] === undefined ? undefined : resolve(values['resource-groups']),
    catalogs: values.catalogs === undefined ? undefined : resolve(values.catalogs),
    catalog: values.catalog,
  };
  for (const path of [options.resourceGroups, options.catalogs]) {
    if (path !== undefined && !existsSync(path)) problems.push(`${path} does not exist`);
  }
  return problems.length === 0 ? options : { usage: `${problems.join('\n')}\n\n${USAGE}`, exitCode: 2 };
}

/** Starts a local cluster, runs one query, and stays until Ctrl-C unless asked otherwise. */
export async function up(argv: readonly string[], root: string): Promise<number> {
  const options = parseUpOptions(argv);
  if ('usage' in options) {
    process.stderr.write(options.usage);
    return options.exitCode;
  }
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const environment = roleEnvironment(process.env, (role) => settingsOfRole(root, role));
  if ('problems' in environment) {
    say(environment.problems.join('\n'));
    return 2;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort());

  const catalogs = options.catalogs ?? (await defaultCatalogs(root, say));
  const startedAt = performance.now();
  const cluster = await LocalCluster.create({
    root,
    directory: join(root, '.tutti', 'local'),
    resourceManagers: options.resourceManagers,
    coordinators: options.coordinators,
    workers: options.workers,
    catalogs,
    resourceGroups: options.resourceGroups,
    arguments: { coordinator: ['--catalogs-default', options.catalog ?? mainCatalog(options.catalogs)] },
    preferredEdgePort: options.edgePort,
    environment: environment.ok,
  });
  say(
    `Starting ${options.resourceManagers} resource managers, ${options.coordinators} coordinators and ${options.workers} workers ...`,
  );
  for (const role of ROLES) {
    const names = Object.keys(environment.ok[role]);
    if (names.length > 0) say(`Each ${role} has ${names.join(', ')} from the environment.`);
  }
  cluster.start();
  try {
    await abortable(cluster.ready(), stop.signal);
    const readyMs = Math.round(performance.now() - startedAt);
    say(`Ready in ${(readyMs / 1000).toFixed(1)} s. Running on ${cluster.url()}:\n\n${options.statement}\n`);
    const exitCode = await runStatement(cluster, options, root, readyMs, stop.signal);
    if (options.once || stop.signal.aborted) return stop.signal.aborted ? 130 : exitCode;
    say(nextSteps(cluster, root, options));
    await new Promise<void>((done) => stop.signal.addEventListener('abort', () => done(), { once: true }));
    return 0;
  } catch (error) {
    if (stop.signal.aborted) return 130;
    say(error instanceof Error ? error.message : String(error));
    return 1;
  } finally {
    if (!options.once) say('Stopping ...');
    await cluster.stop();
  }
}

async function runStatement(
  cluster: LocalCluster,
  options: UpOptions,
  root: string,
  readyMs: number,
  signal: AbortSignal,
): Promise<number> {
  const format = options.json ? 'json' : 'table';
  const argv = ['sql', '--server', cluster.url(), '--source', 'npm-start', '-o', format, options.statement];
  const result = await runCli(root, argv, { signal, capture: options.json });
  if (options.json && result.exitCode === 0) {
    const report = {
      statement: options.statement,
      rows: JSON.parse(result.stdout) as unknown,
      readyMs,
      endpoints: cluster.nodes.map((node) => ({ id: node.id, role: node.role, pid: node.pid, ports: node.ports })),
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  }
  return result.exitCode;
}

const DEMO_CATALOG = 'demo';

/** The demo catalog, or the first of a folder that has none. Whatever is wrong with the folder the coordinators say. */
export function mainCatalog(path: string | undefined): string {
  if (path === undefined || !statSync(path).isDirectory()) return basename(path ?? DEMO_CATALOG, '.json');
  const names = readdirSync(path)
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
  return names.includes(DEMO_CATALOG) ? DEMO_CATALOG : (names[0] ?? DEMO_CATALOG);
}

/** The demo catalog and a small TPC-H catalog, which is generated the first time. */
async function defaultCatalogs(root: string, say: (text: string) => void): Promise<string> {
  const tpch = join(root, '.tutti', 'data', 'tpch-0.01');
  if (!existsSync(join(tpch, 'tpch.json'))) {
    say('Generating TPC-H data, scale 0.01 ...');
    const exitCode = await gen(['tpch', '--scale', '0.01', '--out', tpch, '--quiet']);
    if (exitCode !== 0) throw new Error('the TPC-H data could not be generated; the reason is above');
  }
  return `${join(root, 'catalogs')},${join(tpch, 'tpch.json')}`;
}

/** Of the catalogs that are there when none are given. */
const TPCH_EXAMPLE = `  npm run -s tutti -- sql "SELECT n_name, count(*) FROM tpch.customer JOIN tpch.nation ON c_nationkey = n_nationkey GROUP BY 1 ORDER BY 2 DESC"
`;

function nextSteps(cluster: LocalCluster, root: string, { resourceGroups, catalogs, catalog }: UpOptions): string {
  const endpoints = cluster.nodes.map(
    (node) =>
      `  ${node.id.padEnd(20)} edge ${node.ports.edge}  cluster ${node.ports.cluster}  metrics ${node.ports.metrics}  health ${node.ports.health}  pid ${node.pid}`,
  );
  const server = cluster.url();
  const groups =
    resourceGroups === undefined
      ? ''
      : `\nThe resource groups are those of ${resourceGroups}. Edit it: they change within seconds, and nothing restarts.\n`;
  return `
${endpoints.join('\n')}

The logs are in ${join(root, '.tutti', 'local')}. Try, in another terminal:

  export TUTTI_SERVER=${server}
  npm run -s tutti -- sql "SHOW TABLES FROM ${catalog ?? mainCatalog(catalogs)}"
${catalogs === undefined ? TPCH_EXAMPLE : ''}  npm run -s tutti -- nodes
  npm run -s tutti -- groups
  curl -s ${server}/tutti.query.v1.QueryService/ListQueries -H 'content-type: application/json' -d '{}'
${groups}
Ctrl-C stops everything.`;
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Error('interrupted'));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
