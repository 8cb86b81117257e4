import type { GroupConfig, GroupSpec, GroupTarget } from '@tutti/resource-groups';

/** The leaf with this path: of each level the group with that name, or else one whose variables could make it. */
export function targetAt({ rootGroups }: GroupConfig, path: string): GroupTarget {
  const names = path.split('.');
  const specs: GroupSpec[] = [];
  let level = rootGroups;
  for (const name of names) {
    const spec = level.find((group) => group.name === name) ?? level.find((group) => couldBe(group.name, name));
    if (spec === undefined) throw new Error(`no group takes ${path}`);
    specs.push(spec);
    level = spec.subGroups;
  }
  return { path, names, specs };
}

/** A group and its ancestors. */
export function lineage(group: string): string[] {
  const steps = group.split('.');
  return steps.map((_, index) => steps.slice(0, index + 1).join('.'));
}

function couldBe(template: string, name: string): boolean {
  const [prefix = '', rest] = template.split('${');
  return rest !== undefined && name.startsWith(prefix);
}
