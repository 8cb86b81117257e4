// The real programs, from the files of the image, with the arguments, variables and files of the manifests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@connectrpc/connect';
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@tutti/contracts/grpc/health/v1/health_pb';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { createEdgeTransport } from '@tutti/service';
import { build, canBuild, kustomizations, unlessSkipped } from '../kustomize.js';
import { Manifests } from '../manifests.js';
import { rolePorts, roles } from '../ports.js';
import { RoleConfig } from '../role-config.js';
import { ImageLayout } from './image-layout.js';
import { PodReplay } from './pod-replay.js';

const describeBuilt = canBuild ? describe : describe.skip;
const scratch = (name: string) => mkdtempSync(join(tmpdir(), `tutti-pod-${name}-`));

let image: ImageLayout;
const pods: PodReplay[] = [];
beforeAll(() => {
  image = ImageLayout.assemble();
}, 120_000);
afterAll(() => {
  for (const pod of pods) pod.kill();
  image?.remove();
});

function replay(manifests: Manifests, role: string, env: Record<string, string> = {}): PodReplay {
  const pod = new PodReplay(image, manifests, manifests.workload(role), { directory: scratch(role), env });
  pods.push(pod);
  return pod;
}

describe('the files of the image', () => {
  it('are the four programs, DuckDB, the catalogs and the demo data', () => {
    expect(readdirSync(image.root)).toEqual(['app']);
    expect(readdirSync(image.path('/app')).sort()).toEqual(['apps', 'catalogs', 'node_modules']);
    expect(readdirSync(image.path('/app/apps')).sort()).toEqual([...roles, 'cli'].sort());
    for (const name of [...roles, 'cli']) expect(readdirSync(image.path(`/app/apps/${name}`))).toEqual(['bundle']);
    expect(readdirSync(image.path('/app/node_modules')).sort()).toEqual(['@duckdb', 'detect-libc', 'vega-datasets']);
  });
});

describeBuilt.each(kustomizations)(`the programs find in k8s/%s${unlessSkipped}`, (kustomization) => {
  let manifests: Manifests;
  beforeAll(() => {
    manifests = Manifests.parse(build(kustomization));
  });

  it.each(roles)('every file that the %s is told of', (role) => {
    const { container } = manifests.workload(role);
    expect(image.has(join('/app', container.args?.[0] ?? ''))).toBe(true);
    const config = RoleConfig.of(manifests, role);
    const paths = ['catalogs.path', 'resourceGroups.file', 'task.spillDirectory', 'exchange.directory'].flatMap(
      (path) => config.get(path) ?? [],
    );
    const mounts = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
    const lost = paths.filter(
      (path) => !image.has(String(path)) && !mounts.some((mount) => String(path).startsWith(mount)),
    );
    expect(lost).toEqual([]);
  });

  it.each(roles)('settings of the %s that it knows and accepts', (role) => {
    expect(replay(manifests, role).run('--check-config')).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describeBuilt(`a setting that no program has${unlessSkipped}`, () => {
  it('in the file, in a variable or among the arguments is named', () => {
    const manifests = Manifests.parse(build('base'));
    const config = RoleConfig.of(manifests, 'worker');
    for (const map of manifests.all('ConfigMap')) {
      if (map.data?.['config.yaml'] === config.text)
        map.data['config.yaml'] = config.text.replace('maxTasks', 'maxTask');
    }
    const pod = replay(manifests, 'worker', { TUTTI_TASK_THREAD: '2' });
    const { exitCode, stderr } = pod.run('--check-config', '--drain-grase', '1s');
    expect(exitCode).toBe(2);
    for (const name of ['task.maxTask', 'TUTTI_TASK_THREAD', '--drain-grase']) expect(stderr).toContain(name);
  });
});

describeBuilt(`a cluster that is started from the files of the image${unlessSkipped}`, () => {
  interface Started {
    readonly pod: PodReplay;
    readonly ports: Readonly<Record<string, number>>;
  }
  const started = new Map<string, Started>();
  let before: string[];

  // All of the development overlay, and a coordinator of production, which has its catalogs from a ConfigMap.
  const cast = [
    ['resource-manager', 'overlays/dev', 'resource-manager'],
    ['coordinator', 'overlays/dev', 'coordinator'],
    ['worker', 'overlays/dev', 'worker'],
    ['coordinator of production', 'overlays/ha', 'coordinator'],
  ] as const;

  const filesOfTheImage = () => readdirSync(image.root, { recursive: true, encoding: 'utf8' }).sort();
  const portOf = (name: string, port: string) => started.get(name)?.ports[port] ?? 0;

  beforeAll(async () => {
    before = filesOfTheImage();
    const names = Object.keys(rolePorts);
    const free = await freePorts(cast.length * names.length);
    for (const [name, overlay, role] of cast) {
      const ports = Object.fromEntries(names.map((port) => [port, free.pop() ?? 0]));
      const resourceManager = portOf('resource-manager', 'cluster') || ports['cluster'];
      const pod = replay(Manifests.parse(build(overlay)), role, {
        // Seats have the names of pods.
        ...(role === 'resource-manager' ? {} : { TUTTI_NODE_ID: name.replaceAll(' ', '-') }),
        TUTTI_BIND_HOST: '127.0.0.1',
        TUTTI_RESOURCE_MANAGERS_ADDRESSES: `127.0.0.1:${resourceManager}`,
        ...Object.fromEntries(names.map((port) => [`TUTTI_${port.toUpperCase()}_PORT`, String(ports[port])])),
      });
      pod.start();
      started.set(name, { pod, ports });
    }
  }, 60_000);

  it.each(cast)(
    'the %s passes its startup, liveness and readiness probes',
    async (name) => {
      const { pod, ports } = started.get(name) as Started;
      for (const kind of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
        const service = pod.workload.container[kind]?.grpc?.service ?? '';
        const status = await probed(ports['health'] ?? 0, service, pod);
        expect([kind, ServingStatus[status]]).toEqual([kind, 'SERVING']);
      }
    },
    60_000,
  );

  it.each([
    ['coordinator', 'flights', 3_000_000],
    ['coordinator of production', 'airports', 3_376],
  ])(
    'the %s answers the command line of the image with the rows of %s',
    (name, table, rows) => {
      const server = `http://127.0.0.1:${portOf(name, 'edge')}`;
      const result = spawnSync(
        process.execPath,
        ['apps/cli/bundle/main.mjs', '--server', server, 'sql', `SELECT count(*) AS n FROM ${table}`, '-o', 'csv'],
        { cwd: image.path('/app'), encoding: 'utf8', timeout: 60_000 },
      );
      expect(result).toMatchObject({ stderr: '', stdout: `n\n${rows}\n`, status: 0 });
    },
    60_000,
  );

  it('an edited ConfigMap of resource groups reaches every pod that runs within 5 seconds', async () => {
    const transport = createEdgeTransport({ url: `http://127.0.0.1:${portOf('resource-manager', 'edge')}` });
    const client = createClient(ResourceGroupService, transport);
    const seen = async () => {
      const { groups, configs } = await client.listResourceGroups({}, { timeoutMs: 5_000 });
      const limit = groups.find(({ group }) => group === 'global')?.hardConcurrencyLimit;
      const versions = configs.map(({ nodeId, status }) => `${nodeId} ${status?.version ?? ''}`).sort();
      return { limit, versions, problems: configs.flatMap(({ status }) => status?.problems ?? []) };
    };
    const before = await seen();
    expect(before).toMatchObject({ limit: 8, problems: [] });
    expect(new Set(before.versions.map((version) => version.split(' ')[1])).size).toBe(1);
    expect(before.versions).toHaveLength(3);

    for (const [name, overlay] of cast) {
      const manifests = Manifests.parse(build(overlay));
      const { data } = manifests.get('ConfigMap', 'tutti-resource-groups');
      const [file = '', text = ''] = Object.entries(data ?? {})[0] ?? [];
      Object.assign(data ?? {}, { [file]: text.replace('"hardConcurrencyLimit": 8', '"hardConcurrencyLimit": 7') });
      started.get(name)?.pod.refresh(manifests);
    }
    const deadline = performance.now() + 5_000;
    let after = await seen();
    const isEverywhere = () => after.versions.every((version, index) => version !== before.versions[index]);
    while (!(after.limit === 7 && isEverywhere()) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = await seen();
    }
    transport.close();
    expect(after).toMatchObject({ limit: 7, problems: [] });
    expect(isEverywhere()).toBe(true);
  }, 30_000);

  it('nothing is written beside the volumes', () => {
    expect(filesOfTheImage()).toEqual(before);
  });

  it('all end in order when Kubernetes says so, before they would be killed', async () => {
    const ends = await Promise.all(
      [...started].map(async ([name, { pod }]) => {
        const ended = await pod.terminate();
        return [name, ended?.exitCode, ended?.stderr];
      }),
    );
    expect(ends).toEqual(cast.map(([name]) => [name, 0, '']));
  }, 90_000);
});

/** Asks as kubelet does until the answer is SERVING; fails when the program ends or 30 seconds are over. */
async function probed(port: number, service: string, pod: PodReplay): Promise<ServingStatus> {
  const transport = createEdgeTransport({ url: `http://127.0.0.1:${port}`, protocol: 'grpc' });
  const client = createClient(Health, transport);
  const deadline = performance.now() + 30_000;
  let ended: string | undefined;
  void pod.ended()?.then(({ stdout, stderr }) => (ended = `${stdout}${stderr}`));
  try {
    for (;;) {
      const status = await client.check({ service }, { timeoutMs: 2_000 }).then(
        (answer) => answer.status,
        () => ServingStatus.UNKNOWN,
      );
      if (status === ServingStatus.SERVING || performance.now() > deadline) return status;
      if (ended !== undefined) throw new Error(`${pod.workload.name} ended:\n${ended}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    transport.close();
  }
}

/** Ports that nobody listens on: all are held at once, then released. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
