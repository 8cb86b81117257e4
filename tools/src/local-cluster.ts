import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from './free-ports.js';
import { LOOPBACK, LocalNode, type NodePlace, type NodePorts, type Role } from './local-node.js';

export { LocalNode, type NodePlace, type NodePorts, type Role } from './local-node.js';

export interface LocalClusterOptions {
  /** The repository: bundles are run from it. */
  readonly root: string;
  /** Logs and scratch files go here; what an earlier cluster left here is removed. */
  readonly directory: string;
  readonly resourceManagers: number;
  readonly coordinators: number;
  readonly workers: number;
  /** Folder of catalog files. */
  readonly catalogs: string;
  /** Resource-group file of coordinators and resource managers; without it the built-in group "global" holds. */
  readonly resourceGroups?: string | undefined;
  /** More arguments for the processes of a role. */
  readonly arguments?: Partial<Record<Role, readonly string[]>>;
  /** Environment variables for the processes of a role. */
  readonly environment?: Partial<Record<Role, Readonly<Record<string, string>>>> | undefined;
  /** Edge port of the first coordinator, when it is free. */
  readonly preferredEdgePort?: number | undefined;
  /** Where the node with this id runs; by default on loopback. */
  readonly placeOf?: (id: string) => NodePlace;
}

/** Settings meant for a node of another cluster must not reach the nodes of this one, unless `environment` says so. */
const nodeEnvironment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TUTTI_')));

const STOP_GRACE_MS = 10_000;
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 50;

/** A cluster of real processes on loopback: what `npm start` shows, and what benchmarks and cluster tests run on. */
export class LocalCluster {
  private constructor(readonly nodes: readonly LocalNode[]) {}

  static async create(options: LocalClusterOptions): Promise<LocalCluster> {
    rmSync(options.directory, { recursive: true, force: true });
    mkdirSync(options.directory, { recursive: true });
    const roles: Role[] = [
      ...Array<Role>(options.resourceManagers).fill('resource-manager'),
      ...Array<Role>(options.coordinators).fill('coordinator'),
      ...Array<Role>(options.workers).fill('worker'),
    ];
    const ports = await allocatePorts(roles, options.preferredEdgePort);
    const ids = nodeIds(roles);
    const placeOf = options.placeOf ?? (() => LOOPBACK);
    const resourceManagers = ids.flatMap((id, index) =>
      roles[index] === 'resource-manager' ? [{ id, address: `${placeOf(id).host}:${ports[index]?.cluster}` }] : [],
    );
    const addresses = resourceManagers.map(({ address }) => address).join(',');
    const seats = resourceManagers.map(({ id }) => id).join(',');
    const nodes = roles.map((role, index) => {
      const id = ids[index] as string;
      const own = ports[index] as NodePorts;
      const place = placeOf(id);
      return new LocalNode(id, role, own, {
        root: options.root,
        directory: options.directory,
        env: { ...nodeEnvironment, ...options.environment?.[role] },
        place,
        arguments: [
          ...commonArguments(id, place, own, addresses),
          ...roleArguments(role, seats, options),
          ...(options.arguments?.[role] ?? []),
        ],
        // Nothing of an earlier cluster runs: all its nodes were processes of one that has ended. A single resource manager
        // that restarts cannot know that.
        firstStartArguments: role === 'resource-manager' ? ['--seats-first-start'] : [],
      });
    });
    return new LocalCluster(nodes);
  }

  start(): void {
    for (const node of this.nodes) node.start();
  }

  byRole(role: Role): readonly LocalNode[] {
    return this.nodes.filter((node) => node.role === role);
  }

  node(id: string): LocalNode {
    const found = this.nodes.find((node) => node.id === id);
    if (found === undefined)
      throw new Error(`no node ${id}; there are ${this.nodes.map((node) => node.id).join(', ')}`);
    return found;
  }

  /** The URL of a coordinator's edge port, by its number from 1. */
  url(coordinator = 1): string {
    return this.node(`coordinator-${coordinator}`).url('edge');
  }

  /** Resolves when every node (or those given) is ready. Rejects, with the end of its log, when one ends before that. */
  async ready(nodes: readonly LocalNode[] = this.nodes, withinMs = READY_WITHIN_MS): Promise<void> {
    const deadline = performance.now() + withinMs;
    await Promise.all(
      nodes.map(async (node) => {
        while (!(await node.isReady())) {
          if (!node.running) throw new Error(`${node.id} ended before it was ready:\n${node.logTail(20)}`);
          if (performance.now() > deadline) {
            throw new Error(`${node.id} was not ready within ${withinMs / 1000} s:\n${node.logTail(20)}`);
          }
          await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
        }
      }),
    );
  }

  /** Drains everything: coordinators first, so that running queries can end, then workers, then resource managers. */
  async stop(): Promise<void> {
    for (const role of ['coordinator', 'worker', 'resource-manager'] as const) {
      await Promise.all(this.byRole(role).map((node) => node.stop(STOP_GRACE_MS)));
    }
  }
}

/** Each role is numbered from 1. */
const nodeIds = (roles: readonly Role[]): string[] =>
  roles.map((role, index) => `${role}-${roles.slice(0, index + 1).filter((other) => other === role).length}`);

async function allocatePorts(roles: readonly Role[], preferredEdgePort: number | undefined): Promise<NodePorts[]> {
  const firstCoordinator = roles.indexOf('coordinator');
  const wanted = roles.flatMap((_, index) => [
    undefined,
    index === firstCoordinator ? preferredEdgePort : undefined,
    undefined,
    undefined,
  ]);
  const ports = await freePorts(wanted);
  return roles.map((_, index) => {
    const [cluster = 0, edge = 0, metrics = 0, health = 0] = ports.slice(index * 4, index * 4 + 4);
    return { cluster, edge, metrics, health };
  });
}

const commonArguments = (id: string, place: NodePlace, ports: NodePorts, addresses: string): string[] => [
  ...['--node-id', id, '--node-host', place.host, '--bind-host', place.bindHost],
  ...['--cluster-port', `${ports.cluster}`, '--edge-port', `${ports.edge}`],
  ...['--metrics-port', `${ports.metrics}`, '--health-port', `${ports.health}`],
  ...['--resource-managers-addresses', addresses, '--log-format', 'json'],
];

function roleArguments(role: Role, seats: string, options: LocalClusterOptions): string[] {
  const groups = options.resourceGroups === undefined ? [] : ['--resource-groups-file', options.resourceGroups];
  switch (role) {
    case 'resource-manager':
      return ['--seats-ids', seats, ...groups];
    case 'coordinator':
      return ['--catalogs-path', options.catalogs, ...groups];
    case 'worker':
      if (options.environment?.worker?.['TUTTI_TASK_SPILL_DIRECTORY'] !== undefined) return [];
      return ['--task-spill-directory', join(options.directory, 'spill')];
  }
}
