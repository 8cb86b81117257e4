// The files that ConfigMaps hold, read as the programs read them.
import { posix } from 'node:path';
import { parseGroupConfig } from '@tutti/resource-groups';
import { decodeCatalog } from '@tutti/sql';
import type { Manifests, Workload } from '../manifests.js';
import { mountedFiles, RoleConfig } from '../role-config.js';

/** The roles that read the file of resource groups, each with the path that its settings name. */
const groupFiles = (manifests: Manifests): { readonly workload: Workload; readonly path: string }[] =>
  (['resource-manager', 'coordinator'] as const).map((role) => {
    const workload = manifests.workload(role);
    return { workload, path: String(RoleConfig.find(manifests, workload)?.get('resourceGroups.file') ?? '') };
  });

export const resourceGroupsAreValid = (manifests: Manifests): string[] =>
  groupFiles(manifests).flatMap(({ workload, path }) => {
    const text = mountedFiles(manifests, workload).get(path);
    if (text === undefined) return [`${workload.name}: resourceGroups.file: no ConfigMap holds "${path}"`];
    const parsed = parseGroupConfig(text);
    return 'problems' in parsed ? parsed.problems.map((problem) => `${path}: ${problem}`) : [];
  });

/** The end of a name that kustomize makes from the content, in the letters that it uses. */
const CONTENT_HASH = /-[24-9bcdfghkmt]{10}$/;

/** All read one and the same file, and an edit reaches them while they run. */
export const resourceGroupsReachPodsThatRun = (manifests: Manifests): string[] => {
  const sources = new Set<string>();
  const problems = groupFiles(manifests).flatMap(({ workload: { name, pod, container }, path }) => {
    const mount = container.volumeMounts?.find((candidate) => path.startsWith(`${candidate.mountPath}/`));
    const configMap = pod.volumes?.find((volume) => volume.name === mount?.name)?.configMap?.name ?? '';
    sources.add(`${configMap}/${posix.relative(mount?.mountPath ?? '/', path)}`);
    const isFixed = mount?.subPath !== undefined || mount?.subPathExpr !== undefined;
    const { immutable } = manifests.all('ConfigMap').find(({ metadata }) => metadata.name === configMap) ?? {};
    return [
      ...(isFixed ? [`${name}: ${mount?.mountPath} is a subPath, which keeps the file of the pod's start`] : []),
      ...(CONTENT_HASH.test(configMap) ? [`${name}: ${configMap} is another one after each edit, and rolls pods`] : []),
      ...(immutable === true ? [`ConfigMap ${configMap} is immutable`] : []),
    ];
  });
  if (sources.size > 1) problems.push(`roles have different resource groups: ${[...sources].join(', ')}`);
  return problems;
};

export const catalogsAreValid = (manifests: Manifests): string[] => {
  const coordinator = manifests.workload('coordinator');
  const config = RoleConfig.find(manifests, coordinator);
  const directory = String(config?.get('catalogs.path'));
  const files = [...mountedFiles(manifests, coordinator)].filter(([path]) => posix.dirname(path) === directory);
  const names = files.map(([path]) => posix.basename(path, '.json'));
  const fallback = String(config?.get('catalogs.default'));
  return [
    ...(files.length > 0 && !names.includes(fallback)
      ? [`catalogs.default: there is no ${fallback} in ${directory}`]
      : []),
    ...files.flatMap(([path, text]) => {
      const decoded = decodeCatalog(JSON.parse(text), { name: posix.basename(path, '.json'), directory });
      return 'problems' in decoded ? decoded.problems.map((problem) => `${path}: ${problem}`) : [];
    }),
  ];
};
