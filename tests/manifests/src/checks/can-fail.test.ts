// A check that cannot fail checks nothing: each is shown a manifest that was broken on purpose.
import { type Check, checks } from './index.js';
import { build, canBuild, unlessSkipped } from '../kustomize.js';
import { Manifests, yamlProblems } from '../manifests.js';
import { quantityBytes } from '../role-config.js';
import { schemaProblems } from '../schema-check.js';
import { unknownKeys } from '../unknown-keys.js';

/** Any field of any object, for tests that put in what the types would not allow. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = any;

interface Breakage {
  readonly check: keyof typeof checks;
  readonly when: string;
  readonly says: RegExp;
  readonly breaks: (manifests: Manifests) => void | Manifests;
}

const pod = (manifests: Manifests, role: string): Loose => manifests.workload(role).pod;
const container = (manifests: Manifests, role: string): Loose => manifests.workload(role).container;
const spec = (manifests: Manifests, kind: Parameters<Manifests['get']>[0], name: string): Loose =>
  (manifests.get(kind, name) as Loose).spec;

const groupsMount = (manifests: Manifests): Loose =>
  container(manifests, 'coordinator').volumeMounts.find((mount: Loose) => mount.name === 'resource-groups');
const groupsVolume = (manifests: Manifests, role: string): Loose =>
  pod(manifests, role).volumes.find((volume: Loose) => volume.name === 'resource-groups').configMap;

/** Replaces text in the configuration file of a role. */
function configure(manifests: Manifests, role: string, from: string | RegExp, to: string): void {
  const name = pod(manifests, role).volumes.find((volume: Loose) => volume.name === 'config').configMap.name as string;
  const data = manifests.get('ConfigMap', name).data as Record<string, string>;
  const changed = (data['config.yaml'] ?? '').replace(from, to);
  expect(changed).not.toBe(data['config.yaml']);
  data['config.yaml'] = changed;
}

/** Replaces text in a file that only one ConfigMap has. */
function edit(manifests: Manifests, file: string, from: string, to: string): void {
  const data = manifests.all('ConfigMap').find((map) => map.data?.[file] !== undefined)?.data ?? {};
  const changed = (data[file] ?? '').replace(from, to);
  expect(changed).not.toBe(data[file]);
  data[file] = changed;
}

const breakages: readonly Breakage[] = [
  {
    check: 'servicesReachPods',
    when: 'a Service selects a component that does not exist',
    says: /Service tutti-coordinator selects no pods/,
    breaks: (m) => void (spec(m, 'Service', 'tutti-coordinator').selector['app.kubernetes.io/component'] = 'coord'),
  },
  {
    check: 'servicesReachPods',
    when: 'a Service aims at a port that the pods do not have',
    says: /tutti-coordinator has no port http/,
    breaks: (m) => void (spec(m, 'Service', 'tutti-coordinator').ports[0].targetPort = 'http'),
  },
  {
    check: 'servicesReachPods',
    when: 'a Service forgets that it speaks HTTP/2',
    says: /needs appProtocol/,
    breaks: (m) => void delete spec(m, 'Service', 'tutti-resource-manager').ports[0].appProtocol,
  },
  {
    check: 'workloadsSelectTheirPods',
    when: 'a selector and the labels of its template part',
    says: /Deployment tutti-worker does not select its own pods/,
    breaks: (m) =>
      void (spec(m, 'Deployment', 'tutti-worker').template.metadata.labels['app.kubernetes.io/name'] = 'x'),
  },
  {
    check: 'statefulSetsHaveAHeadlessService',
    when: 'the Service of the resource managers gets an address of its own',
    says: /tutti-resource-manager is not headless/,
    breaks: (m) => void delete spec(m, 'Service', 'tutti-resource-manager').clusterIP,
  },
  {
    check: 'statefulSetsHaveAHeadlessService',
    when: 'the StatefulSet names another Service',
    says: /there is no Service elsewhere/,
    breaks: (m) => void (spec(m, 'StatefulSet', 'tutti-resource-manager').serviceName = 'elsewhere'),
  },
  {
    check: 'podPortsAreTheProgramsPorts',
    when: 'a pod declares another health port than the programs have',
    says: /port health is 9466, in the programs 9465/,
    breaks: (m) => void (container(m, 'worker').ports[3].containerPort = 9466),
  },
  {
    check: 'volumesResolve',
    when: 'a volume is mounted that does not exist',
    says: /mounts the volume cfg, which does not exist/,
    breaks: (m) => void (container(m, 'worker').volumeMounts[0].name = 'cfg'),
  },
  {
    check: 'volumesResolve',
    when: 'a ConfigMap is missing',
    says: /there is no ConfigMap gone/,
    breaks: (m) => void (pod(m, 'worker').volumes[0].configMap.name = 'gone'),
  },
  {
    check: 'accountsAndPrioritiesExist',
    when: 'a pod asks for an account and a priority of another name',
    says: /no ServiceAccount other[^]*no PriorityClass other/,
    breaks: (m) => void Object.assign(pod(m, 'worker'), { serviceAccountName: 'other', priorityClassName: 'other' }),
  },
  {
    check: 'budgetsSelectOneWorkload',
    when: 'a budget covers all roles at once',
    says: /tutti-worker selects 3 workloads/,
    breaks: (m) =>
      void delete spec(m, 'PodDisruptionBudget', 'tutti-worker').selector.matchLabels['app.kubernetes.io/component'],
  },
  {
    check: 'autoscalersHaveATarget',
    when: 'an autoscaler names a Deployment that is not there',
    says: /there is no Deployment workers/,
    breaks: (m) => void (spec(m, 'HorizontalPodAutoscaler', 'tutti-worker').scaleTargetRef.name = 'workers'),
  },
  {
    check: 'autoscalersHaveATarget',
    when: 'its Deployment sets replicas as well',
    says: /tutti-worker sets replicas/,
    breaks: (m) => void (spec(m, 'Deployment', 'tutti-worker').replicas = 3),
  },
  {
    check: 'networkPoliciesMeanPods',
    when: 'a policy applies to a component that does not exist',
    says: /tutti-worker applies to no pods/,
    breaks: (m) =>
      void (spec(m, 'NetworkPolicy', 'tutti-worker').podSelector.matchLabels['app.kubernetes.io/component'] =
        'workers'),
  },
  {
    check: 'networkPoliciesMeanPods',
    when: 'a rule names nobody, which means everybody',
    says: /lets everybody in or out/,
    breaks: (m) => void delete spec(m, 'NetworkPolicy', 'tutti-worker').ingress[0].from,
  },
  {
    check: 'networkPoliciesMeanPods',
    when: 'a rule opens a port on which nothing listens',
    says: /nothing listens on 9091/,
    breaks: (m) => void (spec(m, 'NetworkPolicy', 'tutti-worker').ingress[0].ports[0].port = 9091),
  },
  {
    check: 'networkPoliciesLetTheProgramsTalk',
    when: 'workers may not reach resource managers any more',
    says: /no egress rule lets worker reach resource-manager on 9090/,
    breaks: (m) => void spec(m, 'NetworkPolicy', 'tutti-worker').egress.shift(),
  },
  {
    check: 'networkPoliciesLetTheProgramsTalk',
    when: 'a rule is wider than what the programs do',
    says: /resource-manager may reach worker on 9090/,
    breaks: (m) => {
      const everybody = { podSelector: { matchLabels: { 'app.kubernetes.io/name': 'tutti' } } };
      spec(m, 'NetworkPolicy', 'tutti-worker').ingress[0].from = [everybody];
      spec(m, 'NetworkPolicy', 'tutti-resource-manager').egress[0].to = [everybody];
    },
  },
  {
    check: 'everyPodIsDeniedByDefault',
    when: 'the policy that denies is gone',
    says: /tutti-worker: no NetworkPolicy denies/,
    breaks: (m) => m.without('NetworkPolicy', 'tutti-default-deny'),
  },
  ...(
    [
      ['runs as root', /pod runAsNonRoot/, (m) => void (pod(m, 'worker').securityContext.runAsNonRoot = false)],
      [
        'may write to its image',
        /readOnlyRoot/,
        (m) => void delete container(m, 'worker').securityContext.readOnlyRootFilesystem,
      ],
      [
        'keeps capabilities',
        /drop ALL/,
        (m) => void (container(m, 'worker').securityContext.capabilities.drop = ['NET_RAW']),
      ],
      ['mounts a token', /ServiceAccountToken/, (m) => void delete pod(m, 'worker').automountServiceAccountToken],
      ['gets service links', /enableServiceLinks/, (m) => void delete pod(m, 'worker').enableServiceLinks],
      ['has no seccomp profile', /seccomp/, (m) => void delete pod(m, 'worker').securityContext.seccompProfile],
    ] as const satisfies readonly (readonly [string, RegExp, Breakage['breaks']])[]
  ).map(([when, says, breaks]) => ({ check: 'podsAreRestricted', when: `a pod ${when}`, says, breaks })),
  {
    check: 'accountsMountNoToken',
    when: 'an account mounts its token',
    says: /ServiceAccount tutti mounts/,
    breaks: (m) => void delete (m.get('ServiceAccount', 'tutti') as Loose).automountServiceAccountToken,
  },
  ...['tutti:latest', 'tutti', 'registry.example.com:5000/tutti'].map((image) => ({
    check: 'imagesArePinned',
    when: `the image is ${image}`,
    says: /may change under its name/,
    breaks: (m: Manifests) => void (container(m, 'worker').image = image),
  })),
  {
    check: 'configMapsHoldNoSecrets',
    when: 'a password stands in a settings file',
    says: /seems to hold a secret: password/,
    breaks: (m) => configure(m, 'worker', /^/, 'password: hunter2\n'),
  },
  {
    check: 'variablesHoldNoSecrets',
    when: 'a variable shows a token',
    says: /TUTTI_TOKEN shows its value/,
    breaks: (m) => void container(m, 'worker').env.push({ name: 'TUTTI_TOKEN', value: 'abc' }),
  },
  {
    check: 'everythingIsLabelled',
    when: 'the pods lose their version',
    says: /the pods of tutti-worker have no label app.kubernetes.io\/version/,
    breaks: (m) => void delete m.workload('worker').podLabels['app.kubernetes.io/version'],
  },
  {
    check: 'everythingIsInOneNamespace',
    when: 'a Service is elsewhere',
    says: /Service tutti-coordinator is not in the namespace tutti/,
    breaks: (m) => void (m.get('Service', 'tutti-coordinator').metadata.namespace = 'default'),
  },
  {
    check: 'probesAskTheHealthPort',
    when: 'readiness is asked on the cluster port',
    says: /readinessProbe asks port 9090/,
    breaks: (m) => void (container(m, 'worker').readinessProbe.grpc.port = 9090),
  },
  {
    check: 'probesAskTheHealthPort',
    when: 'liveness follows readiness',
    says: /livenessProbe asks for readiness, not liveness/,
    breaks: (m) => void (container(m, 'worker').livenessProbe.grpc.service = 'readiness'),
  },
  {
    check: 'listeningPortsAreConfigured',
    when: 'a program listens on another port',
    says: /edge.port is not 8080/,
    breaks: (m) => configure(m, 'coordinator', 'port: 8080', 'port: 8081'),
  },
  {
    check: 'nodesKnowWhoTheyAre',
    when: 'all pods of a role have one id',
    says: /TUTTI_NODE_ID must come from metadata.name/,
    breaks: (m) => void (container(m, 'worker').env[0] = { name: 'TUTTI_NODE_ID', value: 'worker' }),
  },
  {
    check: 'resourceManagersAreFoundByName',
    when: 'the address is a Service that balances',
    says: /dns:tutti-coordinator:9090 is no headless Service/,
    breaks: (m) => configure(m, 'worker', 'dns:tutti-resource-manager', 'dns:tutti-coordinator'),
  },
  {
    check: 'podsOutliveTheirDrain',
    when: 'a drain may take longer than the pod has',
    says: /killed after 660000 ms, but a drain may take 1203000 ms/,
    breaks: (m) => configure(m, 'worker', 'grace: 10m', 'grace: 20m'),
  },
  {
    check: 'podsOutliveTheirDrain',
    when: 'a resource manager has no time to hand over what it owns',
    says: /killed after 16000 ms, but a drain may take 17000 ms/,
    breaks: (m) => void (pod(m, 'resource-manager').terminationGracePeriodSeconds = 16),
  },
  ...(
    [
      [
        'there are more resource managers than seats',
        /seats.ids are .*-0, .*-1, .*-2, but the pods are .*-0, .*-1, .*-2, .*-3, .*-4/,
        (m) => void (spec(m, 'StatefulSet', 'tutti-resource-manager').replicas = 5),
      ],
      [
        'each resource manager is alone',
        /seats.ids are none/,
        (m) => configure(m, 'resource-manager', /^  ids: .*\n/m, ''),
      ],
      [
        'the seats have no version',
        /seats.version is missing/,
        (m) => configure(m, 'resource-manager', '  version: 1\n', ''),
      ],
      [
        'every start is called the first one',
        /seats.firstStart would hold/,
        (m) => configure(m, 'resource-manager', '  version: 1\n', '  version: 1\n  firstStart: true\n'),
      ],
      [
        'an update does not wait for seats',
        /minReadySeconds/,
        (m) => void (spec(m, 'StatefulSet', 'tutti-resource-manager').minReadySeconds = 5),
      ],
    ] as const satisfies readonly (readonly [string, RegExp, Breakage['breaks']])[]
  ).map(([when, says, breaks]) => ({ check: 'seatsAreTheResourceManagers', when, says, breaks })),
  {
    check: 'resourcesAreGuaranteed',
    when: 'a pod may use more memory than it asked for',
    says: /requests less memory than its limit/,
    breaks: (m) => void (container(m, 'worker').resources.requests.memory = '1Gi'),
  },
  {
    check: 'resourcesAreGuaranteed',
    when: 'a scratch volume has no bound',
    says: /emptyDir without sizeLimit/,
    breaks: (m) => void (pod(m, 'coordinator').volumes.find((volume: Loose) => volume.name === 'tmp').emptyDir = {}),
  },
  {
    check: 'workersHaveRoomForTheirTasks',
    when: 'a worker runs more tasks than fit its memory',
    says: /5632 MiB of memory, but its tasks may need 9984 MiB[^]*room to spill/,
    breaks: (m) => configure(m, 'worker', 'maxTasks: 4', 'maxTasks: 8'),
  },
  {
    check: 'workersHaveRoomForTheirTasks',
    when: 'a task may spill more than the volume holds',
    says: /room to spill 20480 MiB, but its tasks may spill 40960 MiB/,
    breaks: (m) => configure(m, 'worker', 'spillLimit: 5GB', 'spillLimit: 10GB'),
  },
  {
    check: 'workersHaveRoomForTheirTasks',
    when: 'queries may keep more between their stages than the volume holds',
    says: /room to exchange 20480 MiB, but its queries may need 40960 MiB/,
    breaks: (m) => configure(m, 'worker', ' limit: 5GB', ' limit: 10GB'),
  },
  {
    check: 'budgetsLetSomebodyGo',
    when: 'a budget wants all of them to stay',
    says: /tutti-resource-manager blocks every drain/,
    breaks: (m) => void (spec(m, 'PodDisruptionBudget', 'tutti-resource-manager').minAvailable = 3),
  },
  {
    check: 'rollingUpdatesKeepCapacity',
    when: 'an update takes a worker away first',
    says: /tutti-worker goes below its size/,
    breaks: (m) => void (spec(m, 'Deployment', 'tutti-worker').strategy.rollingUpdate.maxUnavailable = 1),
  },
  {
    check: 'resourceGroupsAreValid',
    when: 'a selector names a group that does not exist',
    says: /resource-groups.json: .*global.nightly/,
    breaks: (m) => edit(m, 'resource-groups.json', '"global.batch"', '"global.nightly"'),
  },
  {
    check: 'resourceGroupsAreValid',
    when: 'the resource managers are not told of the file',
    says: /tutti-resource-manager: resourceGroups.file: no ConfigMap holds ""/,
    breaks: (m) => configure(m, 'resource-manager', /^resourceGroups:\n.*\n.*\n/m, ''),
  },
  ...(
    [
      [
        'the file is mounted alone',
        /tutti-coordinator: .* is a subPath/,
        (m) => void (groupsMount(m).subPath = 'resource-groups.json'),
      ],
      [
        'the name of the ConfigMap follows its content',
        /tutti-coordinator: tutti-resource-groups-g6c4d9t2mk is another one/,
        (m) => {
          for (const role of ['coordinator', 'resource-manager']) groupsVolume(m, role).name += '-g6c4d9t2mk';
        },
      ],
      [
        'the ConfigMap cannot change',
        /ConfigMap tutti-resource-groups is immutable/,
        (m) => void (m.get('ConfigMap', 'tutti-resource-groups').immutable = true),
      ],
      [
        'each role has a file of its own',
        /different resource groups: tutti-resource-groups\/.*, tutti-limits\//,
        (m) => void (groupsVolume(m, 'coordinator').name = 'tutti-limits'),
      ],
    ] as const satisfies readonly (readonly [string, RegExp, Breakage['breaks']])[]
  ).map(([when, says, breaks]) => ({ check: 'resourceGroupsReachPodsThatRun', when, says, breaks })),
  {
    check: 'catalogsAreValid',
    when: 'a table has a format that the engine cannot read',
    says: /demo.json: \$.schemas.main.tables.flights.format/,
    breaks: (m) => edit(m, 'demo.json', '"parquet"', '"orc"'),
  },
  {
    check: 'catalogsAreValid',
    when: 'the default catalog is not there',
    says: /there is no sales in \/etc\/tutti\/catalogs/,
    breaks: (m) => configure(m, 'coordinator', 'default: demo', 'default: sales'),
  },
];

const describeBuilt = canBuild ? describe : describe.skip;

describeBuilt(`every check can fail${unlessSkipped}`, () => {
  const whole = canBuild ? Manifests.parse(build('overlays/ha')) : new Manifests([]);

  it.each(breakages)('$check complains when $when', ({ check, says, breaks }) => {
    const broken = whole.clone();
    const after = breaks(broken) ?? broken;
    expect((checks[check] as Check)(after).join('\n')).toMatch(says);
  });

  it('and none is left out here', () => {
    const shown = new Set(breakages.map(({ check }) => check));
    expect(Object.keys(checks).filter((name) => !shown.has(name))).toEqual([]);
  });

  it('the schema complains about a wrong type, a missing field, a word outside its list and an unknown kind', async () => {
    const broken = whole.clone();
    container(broken, 'worker').readinessProbe.grpc.port = 'health';
    delete spec(broken, 'Deployment', 'tutti-coordinator').selector;
    spec(broken, 'StatefulSet', 'tutti-resource-manager').podManagementPolicy = 'AllAtOnce';
    (broken.get('Service', 'tutti-coordinator') as Loose).kind = 'Servise';
    const problems = (await Promise.all(broken.objects.map(schemaProblems))).flat().join('\n');
    expect(problems).toMatch(/Deployment tutti-worker: .*readinessProbe\/grpc\/port must be integer/);
    expect(problems).toMatch(/Deployment tutti-coordinator: .*must have required property selector/);
    expect(problems).toMatch(/StatefulSet tutti-resource-manager: .*podManagementPolicy must be equal to one of/);
    expect(problems).toMatch(/there is no Servise in v1/);
  });

  it('the walk over the types finds every misspelt key, with its path', () => {
    const broken = whole.clone();
    spec(broken, 'Deployment', 'tutti-worker').replicass = 3;
    container(broken, 'worker').startupProbe.grpc.servce = 'liveness';
    spec(broken, 'NetworkPolicy', 'tutti-dns').egress[0].port = [];
    expect(unknownKeys(broken.objects)).toEqual([
      'Deployment tutti-worker.spec.template.spec.containers[0].startupProbe.grpc.servce: unknown key',
      'Deployment tutti-worker.spec.replicass: unknown key',
      'NetworkPolicy tutti-dns.spec.egress[0].port: unknown key',
    ]);
  });
});

describe('small parts', () => {
  it('a key that is given twice is a problem of the YAML', () => {
    expect(yamlProblems('a: 1\nb: 2\na: 3\n').join()).toMatch(/must be unique/);
    expect(yamlProblems('a: 1\n---\na: 2\n')).toEqual([]);
  });

  it('quantities of Kubernetes are read in bytes', () => {
    expect([quantityBytes('5632Mi'), quantityBytes('1G'), quantityBytes(7)]).toEqual([5632 * 2 ** 20, 1e9, 7]);
    expect([quantityBytes(undefined), quantityBytes('1 GB')]).toEqual([Number.NaN, Number.NaN]);
  });
});
