// The files that ConfigMaps hold, read as the programs read them.
import { posix } from 'node:path';
import { parseGroupConfig } from '@tutti/resource-groups';
import { decodeCatalog } from '@tutti/sql';
import type { Manifests } from '../manifests.js';
import { mountedFiles, RoleConfig } from '../role-config.js';

export const resourceGroupsAreValid = (manifests: Manifests): string[] => {
  const coordinator = manifests.workload('coordinator');
  const path = RoleConfig.find(manifests, coordinator)?.get('resourceGroups.file');
  if (path === undefined) return [];
  const text = mountedFiles(manifests, coordinator).get(String(path));
  if (text === undefined) return [`resourceGroups.file: no ConfigMap holds ${String(path)}`];
  const parsed = parseGroupConfig(text);
  return 'problems' in parsed ? parsed.problems.map((problem) => `${String(path)}: ${problem}`) : [];
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
