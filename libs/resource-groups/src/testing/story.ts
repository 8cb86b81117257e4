import { instant, queryId } from '@tutti/base';
import { type GroupConfig, groupSpec, type GroupSpec } from '../group-config.js';
import { type GroupEvent, GroupTree } from '../group-tree.js';
import type { UsageSnapshot } from '../group-usage.js';
import { UsageLedger } from '../usage-ledger.js';

const USAGE_MAX_AGE_MS = 3_000;

/**
 * Coordinators and one resource manager that do what the lines of a transcript say, a millisecond per line.
 *
 *   groups global=10/100 global.etl=2/5   the groups, each with hardConcurrencyLimit/maxQueued
 *   a submit q1 global.etl                a query comes to coordinator a
 *   a finish q1                           a query of a ends, from whatever state
 *   a ask                                 a asks, and has the answer a millisecond later
 *   a send-ask / a hear-answer            the same in two steps
 *   a report                              a reports without asking
 *   a tick / a unavailable                a's clock ticks / no resource manager answers a
 *   a explain q1                          why q1 waits
 *   worker q1=a/global.etl ...            all that a worker runs
 *   pass 500 / restart / totals           time passes / the resource manager begins anew / what it tells people
 */
export class Story {
  private nowMs = 0;
  private config: GroupConfig = { rootGroups: [], selectors: [] };
  private ledger = new UsageLedger({ expireAfterMs: 10_000 });
  private ledgerLife = 1;
  private readonly coordinators = new Map<string, StoryCoordinator>();

  run(commands: string): string {
    return commands
      .split('\n')
      .flatMap((line) => this.runLine(line.trim().split(/\s+/)))
      .join('\n');
  }

  private runLine([first = '', verb = '', ...rest]: string[]): string[] {
    this.nowMs++;
    const now = instant(this.nowMs);
    if (first === 'groups') return this.configure([verb, ...rest]);
    if (first === 'pass') return (void (this.nowMs += Number(verb)), []);
    if (first === 'totals') return this.totals();
    if (first === 'restart') {
      this.ledger = new UsageLedger({ expireAfterMs: 10_000 });
      this.ledgerLife++;
      return [];
    }
    if (first === 'worker') {
      const tasks = [verb, ...rest].filter((text) => text !== '').map((text) => text.split(/[=/]/));
      const task = ([query = '', coordinatorId = '', group = '']: string[]) => ({
        queryId: query,
        coordinatorId,
        group,
      });
      this.ledger.recordWorker('w', tasks.map(task), now);
      return [];
    }
    return this.coordinator(first).act(verb, rest, this.ledger, `rm/${this.ledgerLife}`, () => instant(this.nowMs++));
  }

  private configure(groups: string[]): string[] {
    const specs = groups.map((text) => text.split(/[=/]/));
    const below = (parent: string): GroupSpec[] =>
      specs
        .filter(([path = '']) => path.slice(0, Math.max(0, path.lastIndexOf('.'))) === parent)
        .map(([path = '', limit, maxQueued]) =>
          groupSpec({
            name: path.slice(path.lastIndexOf('.') + 1),
            template: path,
            hardConcurrencyLimit: Number(limit),
            maxQueued: Number(maxQueued),
            subGroups: below(path),
          }),
        );
    this.config = { rootGroups: below(''), selectors: [] };
    return [];
  }

  private totals(): string[] {
    return this.ledger.groups(instant(this.nowMs)).map((total) => {
      const shares = total.coordinators.map((share) => `${share.coordinatorId} ${share.running}+${share.queued}`);
      const { group, running, queued, hardConcurrencyLimit: limit } = total;
      return `${group}: ${running} of ${limit} run, ${queued} wait (${shares.join(', ')})`;
    });
  }

  private coordinator(id: string): StoryCoordinator {
    let coordinator = this.coordinators.get(id);
    if (coordinator === undefined) this.coordinators.set(id, (coordinator = new StoryCoordinator(id, this.config)));
    return coordinator;
  }
}

class StoryCoordinator {
  private readonly tree: GroupTree;
  private sequence = 0;
  private answer: UsageSnapshot | undefined;

  constructor(
    private readonly id: string,
    config: GroupConfig,
  ) {
    this.tree = new GroupTree({ config, usageMaxAgeMs: USAGE_MAX_AGE_MS });
  }

  act(verb: string, [query = '', group = '']: string[], ledger: UsageLedger, rm: string, next: () => number): string[] {
    const now = instant(next());
    switch (verb) {
      case 'submit':
        return this.apply({ kind: 'submitted', queryId: queryId(query), group }, now);
      case 'finish':
        return this.apply({ kind: 'finished', queryId: queryId(query) }, now);
      case 'tick':
        return this.apply({ kind: 'tick' }, now);
      case 'unavailable':
        return this.apply({ kind: 'usageUnavailable', since: now }, now);
      case 'explain':
        return [this.tree.explain(queryId(query), now)?.message ?? 'does not wait'];
      case 'report':
        ledger.record(this.report(), now);
        return [];
      case 'send-ask':
        this.sendAsk(ledger, rm, now);
        return [];
      case 'hear-answer':
        return this.hearAnswer(now);
      case 'ask':
        this.sendAsk(ledger, rm, now);
        return this.hearAnswer(next());
      default:
        throw new Error(`a coordinator does not know how to ${verb}`);
    }
  }

  private sendAsk(ledger: UsageLedger, answeredBy: string, now: number): void {
    const requestedAt = instant(now);
    const report = this.report();
    ledger.record(report, requestedAt);
    const { coordinators, ...answer } = ledger.usageFor(report, requestedAt);
    const oldestDataAgeMs = Math.max(0, ...coordinators.map(({ ageMs }) => ageMs));
    this.answer = { ...answer, requestedAt, answeredBy, oldestDataAgeMs, coordinatorCount: coordinators.length };
  }

  private hearAnswer(now: number): string[] {
    return this.answer === undefined ? [] : this.apply({ kind: 'usageArrived', usage: this.answer }, now);
  }

  private report() {
    return { coordinatorId: this.id, incarnation: 1, sequence: ++this.sequence, groups: this.tree.counts() };
  }

  private apply(event: GroupEvent, now: number): string[] {
    return this.tree.apply(event, instant(now)).map((effect) => {
      if (effect.kind === 'askUsage') return `${this.id}: wants to ask`;
      if (effect.kind === 'start') return `${this.id}: start ${effect.queryId}`;
      return `${this.id}: reject ${effect.queryId}, "${effect.group}" is full`;
    });
  }
}
