// How pods start, are watched, get their room and end; and what of it follows from the programs' settings.
import type { IProbe } from 'kubernetes-models/v1/Probe';
import type { Manifests, Workload } from '../manifests.js';
import { rolePorts } from '../ports.js';
import { quantityBytes, RoleConfig } from '../role-config.js';

const MIB = 2 ** 20;

const configured = (
  manifests: Manifests,
  check: (workload: Workload, config: RoleConfig) => readonly (string | false)[],
): string[] =>
  manifests.workloads().flatMap((workload) => {
    const config = RoleConfig.find(manifests, workload);
    if (config === undefined) return [`${workload.name}: no ConfigMap holds the file that --config names`];
    return check(workload, config).filter((problem) => problem !== false);
  });

export const probesAskTheHealthPort = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, container }) => {
    const probes: [string, IProbe | undefined, string][] = [
      ['startupProbe', container.startupProbe, 'liveness'],
      ['livenessProbe', container.livenessProbe, 'liveness'],
      ['readinessProbe', container.readinessProbe, 'readiness'],
    ];
    const problems = probes.flatMap(([kind, probe, service]) => {
      if (probe?.grpc === undefined) return [`${name}: ${kind} is no gRPC probe`];
      return [
        ...(probe.grpc.port === rolePorts['health']
          ? []
          : [`${name}: ${kind} asks port ${probe.grpc.port}, not health`]),
        ...(probe.grpc.service === service ? [] : [`${name}: ${kind} asks for ${probe.grpc.service}, not ${service}`]),
      ];
    });
    const startup = container.startupProbe;
    const startSeconds = (startup?.periodSeconds ?? 0) * (startup?.failureThreshold ?? 0);
    if (startSeconds < 120)
      problems.push(`${name}: startupProbe gives up after ${startSeconds} s, a slow start takes 120 s`);
    return problems;
  });

export const listeningPortsAreConfigured = (manifests: Manifests): string[] =>
  configured(manifests, ({ name }, config) => [
    ...Object.entries(rolePorts).map(
      ([port, number]) => config.number(`${port}.port`) !== number && `${name}: ${port}.port is not ${number}`,
    ),
    config.get('bind.host') !== '0.0.0.0' && `${name}: bind.host keeps the kubelet and other pods out`,
  ]);

export const nodesKnowWhoTheyAre = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, container }) => {
    const wanted = { TUTTI_NODE_ID: 'metadata.name', TUTTI_NODE_HOST: 'status.podIP' };
    return Object.entries(wanted).flatMap(([variable, field]) => {
      const entry = container.env?.find((candidate) => candidate.name === variable);
      return entry?.valueFrom?.fieldRef?.fieldPath === field ? [] : [`${name}: ${variable} must come from ${field}`];
    });
  });

export const resourceManagersAreFoundByName = (manifests: Manifests): string[] =>
  configured(manifests, ({ name }, config) => {
    const specs = [config.get('resourceManagers.addresses')].flat().join(',').split(',');
    return specs.map((spec) => {
      const [, service, port] = /^dns:([^.:]+)[^:]*:(\d+)$/.exec(spec.trim()) ?? [];
      const found = manifests.all('Service').find((candidate) => candidate.metadata.name === service);
      const headless = found?.spec?.clusterIP === 'None' && found.spec.publishNotReadyAddresses === true;
      if (!headless) return `${name}: ${spec} is no headless Service that shows nodes while they start`;
      const cluster = found.spec?.ports?.find((candidate) => candidate.name === 'cluster');
      return String(cluster?.port) !== port && `${name}: ${spec} does not name the cluster port`;
    });
  });

/** What a resource manager takes at most to hand over what it owns. */
const HAND_OVER_MS = 2_000;

export const podsOutliveTheirDrain = (manifests: Manifests): string[] =>
  configured(manifests, ({ name, role, pod }, config) => {
    const handOverMs = role === 'resource-manager' ? HAND_OVER_MS : 0;
    const drainMs = config.durationMs('drain.announceDelay') + handOverMs + config.durationMs('drain.grace');
    const graceMs = (pod.terminationGracePeriodSeconds ?? 30) * 1_000;
    return [!(graceMs > drainMs) && `${name}: killed after ${graceMs} ms, but a drain may take ${drainMs} ms`];
  });

/** How long a seat that has just begun promises nothing: the holding TTL of 10 s, and 5 % for clocks that differ. */
const SEAT_WAIT_SECONDS = 10.5;

export const seatsAreTheResourceManagers = (manifests: Manifests): string[] => {
  const { name, object } = manifests.workload('resource-manager');
  const pods = Array.from({ length: object.spec?.replicas ?? 1 }, (_, ordinal) => `${name}-${ordinal}`);
  return configured(manifests, ({ role }, config) => {
    if (role !== 'resource-manager') return [];
    const ids = [config.get('seats.ids') ?? []].flat();
    return [
      ids.join() !== pods.join() && `seats.ids are ${ids.join(', ') || 'none'}, but the pods are ${pods.join(', ')}`,
      !(config.number('seats.version') >= 1) && 'seats.version is missing: it counts the changes of seats.ids from 1',
      config.get('seats.firstStart') !== undefined && 'seats.firstStart would hold at each restart of a pod too',
      !((object.spec?.minReadySeconds ?? 0) > SEAT_WAIT_SECONDS) &&
        `${name}: an update stops the next seat before the last one may promise: minReadySeconds`,
    ];
  });
};

export const resourcesAreGuaranteed = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, pod, container }) => {
    const { requests = {}, limits = {} } = container.resources ?? {};
    const emptyDirs = (pod.volumes ?? []).flatMap((volume) => (volume.emptyDir === undefined ? [] : [volume]));
    const sizes = emptyDirs.map((volume) => quantityBytes(volume.emptyDir?.sizeLimit));
    const storage = quantityBytes(limits['ephemeral-storage']);
    const heapMiB = Number(
      /--max-old-space-size=(\d+)/.exec(container.env?.find((v) => v.name === 'NODE_OPTIONS')?.value ?? '')?.[1],
    );
    const problems: Record<string, boolean> = {
      'requests no cpu': requests['cpu'] === undefined,
      'limits cpu, which only makes it slow': limits['cpu'] !== undefined,
      'has no memory limit': Number.isNaN(quantityBytes(limits['memory'])),
      'requests less memory than its limit': requests['memory'] !== limits['memory'],
      'has an emptyDir without sizeLimit': sizes.some(Number.isNaN),
      'has less ephemeral-storage than its emptyDirs': !(storage >= sizes.reduce((sum, bytes) => sum + bytes, 0)),
      'has no heap limit below half of its memory': !(heapMiB * MIB <= quantityBytes(limits['memory']) / 2),
      'has no /tmp to write to': !container.volumeMounts?.some(
        (mount) => mount.mountPath === '/tmp' && !mount.readOnly,
      ),
      'does not keep its last words': container.terminationMessagePolicy !== 'FallbackToLogsOnError',
    };
    return Object.entries(problems).flatMap(([problem, holds]) => (holds ? [`${name} ${problem}`] : []));
  });

/** What a worker needs beside its tasks' memory: the supervisor, and each executor process before it has any data. */
const SUPERVISOR_BYTES = 512 * MIB;
const EXECUTOR_BYTES = 128 * MIB;

export const workersHaveRoomForTheirTasks = (manifests: Manifests): string[] =>
  configured(manifests, ({ name, role, pod, container }, config) => {
    if (role !== 'worker') return [];
    const tasksMax = config.number('task.maxTasks');
    const executors = tasksMax + config.number('executor.warm');
    const needed = tasksMax * config.sizeBytes('task.memoryLimit') + SUPERVISOR_BYTES + executors * EXECUTOR_BYTES;
    const limit = quantityBytes(container.resources?.limits?.['memory']);
    const roomAt = (path: unknown) => {
      const at = container.volumeMounts?.find((mount) => mount.mountPath === path);
      return quantityBytes(pod.volumes?.find((volume) => volume.name === at?.name)?.emptyDir?.sizeLimit);
    };
    const spillLimit = roomAt(config.get('task.spillDirectory'));
    const exchangeLimit = roomAt(config.get('exchange.directory'));
    const exchanged = tasksMax * config.sizeBytes('exchange.limit');
    const spilled = tasksMax * config.sizeBytes('task.spillLimit');
    return [
      !(limit >= needed) && `${name}: ${limit / MIB} MiB of memory, but its tasks may need ${needed / MIB} MiB`,
      !(spillLimit >= spilled) &&
        `${name}: room to spill ${spillLimit / MIB} MiB, but its tasks may spill ${spilled / MIB} MiB`,
      !(exchangeLimit >= exchanged) &&
        `${name}: room to exchange ${exchangeLimit / MIB} MiB, but its queries may need ${exchanged / MIB} MiB`,
      !(config.number('task.threads') > 0) && `${name}: task.threads takes all cores of a machine it shares`,
    ];
  });

export const budgetsLetSomebodyGo = (manifests: Manifests): string[] =>
  manifests.all('PodDisruptionBudget').flatMap((budget) => {
    const role = budget.spec?.selector?.matchLabels?.['app.kubernetes.io/component'];
    const workload = manifests.workloads().find((candidate) => candidate.role === role);
    const autoscaler = manifests
      .all('HorizontalPodAutoscaler')
      .find((candidate) => candidate.spec?.scaleTargetRef.name === workload?.name);
    const replicas = workload?.object.spec?.replicas ?? autoscaler?.spec?.minReplicas ?? 1;
    const { minAvailable, maxUnavailable } = budget.spec ?? {};
    const blocked =
      maxUnavailable === 0 || maxUnavailable === '0%' || (typeof minAvailable === 'number' && minAvailable >= replicas);
    return blocked ? [`PodDisruptionBudget ${budget.metadata.name} blocks every drain of a node`] : [];
  });

export const rollingUpdatesKeepCapacity = (manifests: Manifests): string[] =>
  manifests
    .all('Deployment')
    .filter(({ spec }) => spec?.strategy?.type !== 'RollingUpdate' || spec.strategy.rollingUpdate?.maxUnavailable !== 0)
    .map(({ metadata }) => `Deployment ${metadata.name} goes below its size in an update`);
