// What a pod may do: the restricted Pod Security Standard, and a little more.
import type { Manifests } from '../manifests.js';

export const podsAreRestricted = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, pod, container }) => {
    const security = container.securityContext ?? {};
    const required: Record<string, boolean> = {
      'pod runAsNonRoot': pod.securityContext?.runAsNonRoot === true,
      'pod runAsUser by number': (pod.securityContext?.runAsUser ?? 0) > 0,
      'pod seccompProfile RuntimeDefault': pod.securityContext?.seccompProfile?.type === 'RuntimeDefault',
      'allowPrivilegeEscalation false': security.allowPrivilegeEscalation === false,
      'readOnlyRootFilesystem true': security.readOnlyRootFilesystem === true,
      'capabilities drop ALL': security.capabilities?.drop?.includes('ALL') === true && !security.capabilities.add,
      'not privileged': security.privileged !== true,
      'no host network, process ids or ipc': !pod.hostNetwork && !pod.hostPID && !pod.hostIPC,
      'no hostPath volumes': !(pod.volumes ?? []).some((volume) => volume.hostPath !== undefined),
      'automountServiceAccountToken false': pod.automountServiceAccountToken === false,
      'enableServiceLinks false': pod.enableServiceLinks === false,
      'one container': pod.containers.length === 1,
    };
    return Object.entries(required).flatMap(([what, holds]) => (holds ? [] : [`${name} needs: ${what}`]));
  });

export const accountsMountNoToken = (manifests: Manifests): string[] =>
  manifests
    .all('ServiceAccount')
    .filter((account) => account.automountServiceAccountToken !== false)
    .map((account) => `ServiceAccount ${account.metadata.name} mounts its token`);

export const imagesArePinned = (manifests: Manifests): string[] =>
  manifests.workloads().flatMap(({ name, container }) => {
    const image = container.image ?? '';
    const [, tag] = /^[^@]*?(?::([^:/@]+))?(?:@sha256:[0-9a-f]{64})?$/.exec(image) ?? [];
    if (image.includes('@sha256:')) return [];
    return tag === undefined || tag === 'latest' ? [`${name}: the image ${image} may change under its name`] : [];
  });

const SECRET_KEY = /passw(or)?d|secret|token|private[-_.]?key|credential|api[-_.]?key/i;
const SECRET_VALUE = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\b[a-z]+:\/\/[^/\s:@]+:[^/\s:@]+@/;

export const configMapsHoldNoSecrets = (manifests: Manifests): string[] =>
  manifests.all('ConfigMap').flatMap((map) =>
    Object.entries(map.data ?? {}).flatMap(([file, content]) =>
      content
        .split('\n')
        .filter((line) => SECRET_KEY.test(line.split(/[:=]/)[0] ?? '') || SECRET_VALUE.test(line))
        .map(
          (line) => `ConfigMap ${map.metadata.name}: ${file} seems to hold a secret: ${line.trim().split(/[:=]/)[0]}`,
        ),
    ),
  );

export const variablesHoldNoSecrets = (manifests: Manifests): string[] =>
  manifests
    .workloads()
    .flatMap(({ name, container }) =>
      (container.env ?? [])
        .filter(
          (variable) =>
            variable.value !== undefined && (SECRET_KEY.test(variable.name) || SECRET_VALUE.test(variable.value)),
        )
        .map((variable) => `${name}: ${variable.name} shows its value; take it from a Secret`),
    );

const STANDARD_LABELS = ['name', 'part-of', 'version'].map((label) => `app.kubernetes.io/${label}`);

export const everythingIsLabelled = (manifests: Manifests): string[] => [
  ...manifests.objects.flatMap((object) =>
    STANDARD_LABELS.filter((label) => object.metadata.labels?.[label] === undefined).map(
      (label) => `${object.kind} ${object.metadata.name} has no label ${label}`,
    ),
  ),
  ...manifests
    .workloads()
    .flatMap(({ name, podLabels }) =>
      [...STANDARD_LABELS, 'app.kubernetes.io/component']
        .filter((label) => podLabels[label] === undefined)
        .map((label) => `the pods of ${name} have no label ${label}`),
    ),
];

const CLUSTER_WIDE = new Set(['Namespace', 'PriorityClass']);

export const everythingIsInOneNamespace = (manifests: Manifests): string[] => {
  const namespaces = manifests.all('Namespace');
  const [only] = namespaces;
  if (only === undefined) return [];
  const name = only.metadata.name;
  const enforced = only.metadata.labels?.['pod-security.kubernetes.io/enforce'];
  return [
    ...(enforced === 'restricted' ? [] : [`Namespace ${name} lets in pods that are not restricted`]),
    ...manifests.objects
      .filter((object) => !CLUSTER_WIDE.has(object.kind) && object.metadata.namespace !== name)
      .map((object) => `${object.kind} ${object.metadata.name} is not in the namespace ${name}`),
  ];
};
