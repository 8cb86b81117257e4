import { type Instant, queryId } from '@tutti/base';
import type { GroupCounts } from '../group-events.js';
import type { GroupTree } from '../group-tree.js';
import type { ReferenceTree } from './reference-tree.js';

/** G1, Q1, Q2, N1 and N2, by what a tree reports and explains, between events. */
export class CountChecks {
  private readonly reported = new Map<string, GroupCounts>();

  constructor(
    private readonly reference: ReferenceTree,
    private readonly expect: (condition: boolean, message: string) => void,
  ) {}

  check(tree: GroupTree, now: Instant): void {
    const { reference } = this;
    const counts = new Map(tree.counts().map((own) => [own.group, own]));
    const totals = new Map(tree.totals().map((total) => [total.group, total]));
    for (const path of reference.groups.keys()) {
      const own = counts.get(path);
      const queued = reference.queuedIn(path);
      this.expect((own?.queued ?? 0) === queued.length, `G1 broken: ${own?.queued} queued in ${path}`);
      this.expect(
        (own?.running ?? 0) === reference.runningIn(path).length,
        `G1 broken: ${own?.running} run in ${path}`,
      );
      this.expect((own?.claimed ?? 0) <= queued.length, `Q1 broken: more claims than queries in ${path}`);
      const known = this.reported.get(path);
      const grew = own !== undefined && own.claimRound === known?.claimRound && own.claimed > known.claimed;
      this.expect(!grew, `Q2 broken: the claims of ${path} grew after they were reported`);
      if (own !== undefined) this.reported.set(path, own);
      this.expect((totals.get(path)?.memoryBytes ?? 0) === reference.memoryIn(path), `the memory of ${path} is wrong`);
      this.checkClaims(path, counts);
      queued.forEach(({ id }, index) => {
        const explanation = tree.explain(queryId(id), now);
        this.expect(explanation !== undefined && explanation.queuedAhead >= index, `${id} must know why it waits`);
      });
      for (const { id } of reference.runningIn(path))
        this.expect(tree.explain(queryId(id), now) === undefined, `${id} does not wait`);
    }
    this.expect(counts.size <= reference.groups.size, 'F1 broken: groups are reported that nobody uses');
  }

  /** N1 and N2: no group claims more than could run, and less where more than hardConcurrencyLimit limits it. */
  private checkClaims(group: string, counts: ReadonlyMap<string, GroupCounts>): void {
    const below = [...counts.values()].filter((own) => own.group === group || own.group.startsWith(`${group}.`));
    const claimed = below.reduce((sum, own) => sum + own.claimed, 0);
    if (claimed === 0) return;
    const limit = this.reference.limitOf(group);
    const running = this.reference.runningHere(group);
    this.expect(running + claimed <= limit, `N2 broken: ${running} run and ${claimed} claim in ${group} of ${limit}`);
    if (limit === this.reference.hardLimitOf(group) || below.length > 1) return;
    const room = Math.max(0, limit - this.reference.allRunning(group));
    this.expect(claimed <= room, `N2 broken: ${claimed} claim in ${group}, which has room for ${room}`);
  }
}
