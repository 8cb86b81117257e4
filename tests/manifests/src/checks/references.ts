// What one object says about another: names, labels and ports must meet.
import { type Manifests, matches } from '../manifests.js';
import { rolePorts, roles } from '../ports.js';

export const servicesReachPods = (manifests: Manifests): string[] =>
  manifests.all('Service').flatMap((service) => {
    const name = `Service ${service.metadata.name}`;
    const selector = service.spec?.selector ?? {};
    const targets = manifests.workloads().filter(({ podLabels }) => matches({ matchLabels: selector }, podLabels));
    if (Object.keys(selector).length === 0 || targets.length === 0) return [`${name} selects no pods`];
    return (service.spec?.ports ?? []).flatMap((port) => {
      const problems: string[] = [];
      const target = port.targetPort ?? port.port;
      for (const { name: workload, container } of targets) {
        const found = container.ports?.some((own) => own.name === target || own.containerPort === target) ?? false;
        if (!found) problems.push(`${name}: ${workload} has no port ${target}`);
      }
      if (rolePorts[port.name ?? ''] !== port.port)
        problems.push(`${name}: port ${port.name} is not ${port.port} in the programs`);
      if (port.appProtocol !== 'kubernetes.io/h2c')
        problems.push(`${name}: port ${port.name} needs appProtocol kubernetes.io/h2c`);
      return problems;
    });
  });

export const workloadsSelectTheirPods = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ kind, name, object, podLabels }) => {
    const selector = object.spec?.selector;
    if (Object.keys(selector?.matchLabels ?? {}).length === 0) return [`${kind} ${name} selects everything`];
    return matches(selector, podLabels) ? [] : [`${kind} ${name} does not select its own pods`];
  });

export const statefulSetsHaveAHeadlessService = (manifests: Manifests): string[] =>
  manifests.all('StatefulSet').flatMap((set) => {
    const name = set.spec?.serviceName;
    const service = manifests.all('Service').find((candidate) => candidate.metadata.name === name);
    if (service === undefined) return [`StatefulSet ${set.metadata.name}: there is no Service ${name}`];
    const { clusterIP, publishNotReadyAddresses } = service.spec ?? {};
    return [
      ...(clusterIP === 'None' ? [] : [`Service ${name} is not headless`]),
      ...(publishNotReadyAddresses === true
        ? []
        : [`Service ${name} hides nodes that start: publishNotReadyAddresses`]),
    ];
  });

export const podPortsAreTheProgramsPorts = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, container }) => {
    const named = Object.fromEntries((container.ports ?? []).map((port) => [port.name ?? '', port.containerPort]));
    return Object.entries(rolePorts)
      .filter(([port, number]) => named[port] !== number)
      .map(([port, number]) => `${name}: port ${port} is ${named[port]}, in the programs ${number}`);
  });

export const volumesResolve = (manifests: Manifests): string[] => {
  const used = new Set<string>();
  const problems = manifests.workloads().flatMap(({ name, pod, container }) => {
    const volumes = pod.volumes ?? [];
    const mounts = container.volumeMounts ?? [];
    const configMaps = volumes.flatMap((volume) =>
      volume.configMap?.name === undefined ? [] : [volume.configMap.name],
    );
    configMaps.forEach((configMap) => used.add(configMap));
    return [
      ...mounts
        .filter((mount) => !volumes.some((volume) => volume.name === mount.name))
        .map((mount) => `${name}: ${mount.mountPath} mounts the volume ${mount.name}, which does not exist`),
      ...volumes
        .filter((volume) => !mounts.some((mount) => mount.name === volume.name))
        .map((volume) => `${name}: the volume ${volume.name} is mounted nowhere`),
      ...configMaps
        .filter((configMap) => !manifests.all('ConfigMap').some(({ metadata }) => metadata.name === configMap))
        .map((configMap) => `${name}: there is no ConfigMap ${configMap}`),
    ];
  });
  const unused = manifests.all('ConfigMap').filter(({ metadata }) => !used.has(metadata.name));
  return [...problems, ...unused.map(({ metadata }) => `ConfigMap ${metadata.name} is mounted by nobody`)];
};

export const accountsAndPrioritiesExist = (manifests: Manifests): string[] =>
  manifests
    .workloads()
    .flatMap(({ name, pod }) => [
      ...(manifests.all('ServiceAccount').some(({ metadata }) => metadata.name === pod.serviceAccountName)
        ? []
        : [`${name}: there is no ServiceAccount ${pod.serviceAccountName}`]),
      ...(manifests.all('PriorityClass').some(({ metadata }) => metadata.name === pod.priorityClassName)
        ? []
        : [`${name}: there is no PriorityClass ${pod.priorityClassName}`]),
    ]);

export const budgetsSelectOneWorkload = (manifests: Manifests): string[] =>
  manifests.all('PodDisruptionBudget').flatMap((budget) => {
    const selected = manifests.workloads().filter(({ podLabels }) => matches(budget.spec?.selector, podLabels));
    const name = `PodDisruptionBudget ${budget.metadata.name}`;
    return selected.length === 1 ? [] : [`${name} selects ${selected.length} workloads`];
  });

export const autoscalersHaveATarget = (manifests: Manifests): string[] =>
  manifests.all('HorizontalPodAutoscaler').flatMap((autoscaler) => {
    const name = `HorizontalPodAutoscaler ${autoscaler.metadata.name}`;
    const target = autoscaler.spec?.scaleTargetRef;
    const found = manifests
      .workloads()
      .find((workload) => workload.kind === target?.kind && workload.name === target.name);
    if (found === undefined) return [`${name}: there is no ${target?.kind} ${target?.name}`];
    const problems: string[] = [];
    if (target?.apiVersion !== 'apps/v1') problems.push(`${name}: the target is in apps/v1, not ${target?.apiVersion}`);
    if (found.object.spec?.replicas !== undefined)
      problems.push(`${name}: ${found.name} sets replicas, which each apply would restore`);
    if (found.container.resources?.requests?.['cpu'] === undefined)
      problems.push(`${name}: ${found.name} requests no cpu to compare with`);
    return problems;
  });

export const networkPoliciesMeanPods = (manifests: Manifests): string[] =>
  manifests.all('NetworkPolicy').flatMap((policy) => {
    const name = `NetworkPolicy ${policy.metadata.name}`;
    const isOurs = (labels: Record<string, string>) =>
      Object.keys(labels).some((label) => label.startsWith('app.kubernetes.io/'));
    const selectsNothing = (selector: { matchLabels?: Record<string, string> } | undefined) =>
      isOurs(selector?.matchLabels ?? {}) &&
      !manifests.workloads().some(({ podLabels }) => matches(selector, podLabels));
    const rules = [
      ...(policy.spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports, direction: 'Ingress' as const })),
      ...(policy.spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports, direction: 'Egress' as const })),
    ];
    const known = [...Object.values(rolePorts), DNS_PORT];
    return [
      ...(selectsNothing(policy.spec?.podSelector) ? [`${name} applies to no pods`] : []),
      ...rules.flatMap(({ peers = [], ports = [], direction }) => [
        ...(peers.length === 0 ? [`${name}: a rule for ${direction} lets everybody in or out`] : []),
        ...(ports.length === 0 ? [`${name}: a rule for ${direction} opens every port`] : []),
        ...(policy.spec?.policyTypes?.includes(direction)
          ? []
          : [`${name} has rules for ${direction} but not the type`]),
        ...peers
          .filter((peer) => selectsNothing(peer.podSelector))
          .map(() => `${name}: a peer for ${direction} is no pod`),
        ...ports
          .filter(({ port }) => !known.includes(Number(port)))
          .map(({ port }) => `${name}: nothing listens on ${port}`),
      ]),
    ];
  });

const DNS_PORT = 53;

/** The connections that the programs make: who calls whom, on which port. */
const connections: readonly (readonly [from: string, to: string, port: number])[] = [
  ...roles.map((role) => [role, 'resource-manager', 9090] as const),
  ['coordinator', 'coordinator', 9090],
  ['coordinator', 'worker', 9090],
  ['coordinator', 'worker', 8080],
  ['worker', 'worker', 8080],
];

export const networkPoliciesLetTheProgramsTalk = (manifests: Manifests): string[] => {
  const allows = (from: string, to: string, port: number, direction: 'ingress' | 'egress'): boolean => {
    const subject = manifests.workload(direction === 'ingress' ? to : from).podLabels;
    const peer = manifests.workload(direction === 'ingress' ? from : to).podLabels;
    return manifests
      .all('NetworkPolicy')
      .filter((policy) => matches(policy.spec?.podSelector, subject))
      .flatMap((policy) =>
        direction === 'ingress'
          ? (policy.spec?.ingress ?? []).map(({ from: peers, ports }) => ({ peers, ports }))
          : (policy.spec?.egress ?? []).map(({ to: peers, ports }) => ({ peers, ports })),
      )
      .some(
        ({ peers = [], ports = [] }) =>
          peers.some(
            ({ podSelector, namespaceSelector }) =>
              podSelector !== undefined && namespaceSelector === undefined && matches(podSelector, peer),
          ) && ports.some((entry) => Number(entry.port) === port),
      );
  };
  const needed = connections.flatMap(([from, to, port]) =>
    (['egress', 'ingress'] as const)
      .filter((direction) => !allows(from, to, port, direction))
      .map((direction) => `no ${direction} rule lets ${from} reach ${to} on ${port}`),
  );
  const forbidden = roles.flatMap((from) =>
    roles.flatMap((to) =>
      Object.values(rolePorts)
        .filter((port) => !connections.some(([a, b, c]) => a === from && b === to && c === port))
        .filter((port) => allows(from, to, port, 'ingress') && allows(from, to, port, 'egress'))
        .map((port) => `${from} may reach ${to} on ${port}, which it has no need to`),
    ),
  );
  return [...needed, ...forbidden];
};

export const everyPodIsDeniedByDefault = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, podLabels }) => {
    const covered = manifests
      .all('NetworkPolicy')
      .some(
        ({ spec }) =>
          matches(spec?.podSelector, podLabels) &&
          (spec?.ingress ?? []).length + (spec?.egress ?? []).length === 0 &&
          ['Ingress', 'Egress'].every((type) => spec?.policyTypes?.includes(type as 'Ingress')),
      );
    return covered ? [] : [`${name}: no NetworkPolicy denies what is not listed`];
  });
