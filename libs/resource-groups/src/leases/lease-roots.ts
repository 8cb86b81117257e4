// Which root groups deal their slots by leases.
//   R1. A root group without variables is what its own spec says; one that queries made of a name with variables is what
//       that spec says. The name without variables goes first, as in the forest. Where names with variables of several
//       modes match, nobody but the coordinator knows which of them made the group: no lease is required then.
import type { GroupSpec } from '../group-config.js';
import { rootName } from '../group-path.js';
import { hasVariables } from '../name-template.js';
import { shardOfGroup } from '../seats/shard.js';

/** Names as the file spells them. */
export interface RootNames {
  /** Root groups in which only tasks with a lease may run. */
  readonly leasedRootGroups: readonly string[];
  /** Root groups of other modes that a name with variables among those would match too. */
  readonly exemptRootGroups: readonly string[];
}

export const NO_ROOTS: RootNames = { leasedRootGroups: [], exemptRootGroups: [] };

/** The root groups of a configuration by shard. Those with variables may have groups in any. */
export class ShardRoots {
  private readonly fixed = new Map<number, GroupSpec[]>();
  private readonly wide: readonly GroupSpec[];

  constructor(rootGroups: readonly GroupSpec[]) {
    this.wide = rootGroups.filter(({ isDynamic }) => isDynamic);
    for (const root of rootGroups) {
      if (root.isDynamic) continue;
      const shard = shardOfGroup(root.template);
      const among = this.fixed.get(shard);
      if (among === undefined) this.fixed.set(shard, [root]);
      else among.push(root);
    }
  }

  /** Those that are leased. */
  leased(shard: number): GroupSpec[] {
    return this.all(shard).filter(isLeased);
  }

  /** What workers must know of them. */
  names(shard: number): RootNames {
    const leased = this.leased(shard);
    const wide = leased.filter(({ isDynamic }) => isDynamic).map(({ name }) => new NameTemplate(name));
    const isExempt = (root: GroupSpec): boolean =>
      root.isDynamic ? wide.length > 0 : wide.some((template) => template.matches(root.name));
    const others = this.all(shard).filter((root) => !isLeased(root));
    const namesOf = (roots: readonly GroupSpec[]): string[] => roots.map(({ name }) => name);
    return { leasedRootGroups: namesOf(leased), exemptRootGroups: namesOf(others.filter(isExempt)) };
  }

  private all(shard: number): GroupSpec[] {
    return [...(this.fixed.get(shard) ?? []), ...this.wide];
  }
}

const isLeased = ({ admissionMode }: GroupSpec): boolean => admissionMode === 'leased';

/** Tells of a group whether it needs a lease (R1). */
export class LeaseRoots {
  private readonly leased: ReadonlySet<string>;
  private readonly exempt: readonly NameTemplate[];
  private readonly wide: readonly NameTemplate[];

  constructor({ leasedRootGroups, exemptRootGroups }: RootNames) {
    this.leased = new Set(leasedRootGroups.filter((name) => !hasVariables(name)));
    this.wide = leasedRootGroups.filter(hasVariables).map((name) => new NameTemplate(name));
    this.exempt = exemptRootGroups.map((name) => new NameTemplate(name));
  }

  /** `group`: the path of any group. */
  needLease(group: string): boolean {
    const name = rootName(group);
    if (this.leased.has(name)) return true;
    const matches = (template: NameTemplate): boolean => template.matches(name);
    return this.wide.some(matches) && !this.exempt.some(matches);
  }
}

/** A name with variables, of which any may be any text. */
class NameTemplate {
  /** What stands before, between and after the variables. */
  private readonly pieces: readonly string[];

  constructor(name: string) {
    this.pieces = name.split(/\$\{[^}]*\}/);
  }

  matches(name: string): boolean {
    const [head = '', ...rest] = this.pieces;
    const tail = rest.pop();
    if (tail === undefined) return name === head;
    if (!name.startsWith(head) || !name.endsWith(tail)) return false;
    let at = head.length;
    for (const piece of rest) {
      const found = name.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= name.length - tail.length;
  }
}
