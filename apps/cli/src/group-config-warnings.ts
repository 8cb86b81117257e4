// Whether all nodes keep to the same resource groups, and whether their files are good. Pure.
import type { NodeGroupsView } from './group-codec.js';

/** Something about the files of resource groups that somebody should look at. */
export interface GroupConfigWarning {
  readonly summary: string;
  /** More lines: what exactly, and what to do. */
  readonly details: readonly string[];
}

/** What is wrong with the resource groups that the nodes keep to; nothing when all is well. */
export function groupConfigWarnings(nodes: readonly NodeGroupsView[]): GroupConfigWarning[] {
  return [...differingVersions(nodes), ...wrongFiles(nodes)];
}

function differingVersions(nodes: readonly NodeGroupsView[]): GroupConfigWarning[] {
  const versions = groupBy(
    nodes.filter(({ version }) => version !== ''),
    ({ version }) => version,
  );
  if (versions.size < 2) return [];
  const parts = [...versions].map(([version, keepers]) => `${version} on ${nodeNames(keepers)}`);
  return [
    {
      summary: `nodes keep different resource groups: ${parts.join('; ')}`,
      details: [
        'A changed file takes effect within seconds of its arrival on a node. If this stays, compare the files there.',
      ],
    },
  ];
}

function wrongFiles(nodes: readonly NodeGroupsView[]): GroupConfigWarning[] {
  const wrong = nodes.filter(({ problems }) => problems.length > 0);
  const alike = groupBy(wrong, ({ version, problems }) => JSON.stringify([version, problems]));
  return [...alike.values()].map((keepers) => {
    const [{ version, problems } = { version: '', problems: [] }] = keepers;
    const one = keepers.length === 1;
    return {
      summary: `the resource-groups file of ${nodeNames(keepers)} is wrong; ${one ? 'it keeps' : 'they keep'} version ${version}`,
      details: [...problems, 'Check a file before it is rolled out: tutti groups validate FILE'],
    };
  });
}

const NAMES_MAX = 5;

function nodeNames(nodes: readonly NodeGroupsView[]): string {
  const names = nodes.slice(0, NAMES_MAX).map(({ nodeId }) => nodeId);
  const left = nodes.length - names.length;
  return left > 0 ? `${names.join(', ')} and ${left} more` : names.join(', ');
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
