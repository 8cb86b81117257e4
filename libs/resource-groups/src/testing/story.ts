import { formatDuration, instant, parseDurationMs, parseSizeBytes } from '@tutti/base';
import type { GroupConfig } from '../group-config.js';
import { UsageLedger } from '../usage-ledger.js';
import { StoryCoordinator } from './story-coordinator.js';
import { storyConfig } from './story-groups.js';
import { StoryOwners } from './story-owners.js';

const EXPIRE_AFTER_MS = 10_000;

/**
 * Coordinators and one resource manager that do what the lines of a transcript say, a millisecond per line.
 *
 *   groups global=10/100 global.etl=2/5   the groups, see storyConfig
 *   reload global=5/100 ...               other groups hold from now on, for everybody
 *   cluster 3 30GB                        the active workers and their memory, for everybody
 *   auto                                  from now on each question is asked and answered at once, and not told
 *   a submit q1 global.etl prio=5         a query comes to coordinator a; ~ in a name stands for a dot
 *   a used q1 2GB 10s                     what a running query holds, and the CPU that it used in all
 *   a finish q1                           a query of a ends, from whatever state
 *   a ask                                 a asks, and has the answer a millisecond later
 *   a send-ask / a hear-answer            the same in two steps
 *   a report                              a reports without asking
 *   a tick / a unavailable                a's clock ticks / no resource manager answers a
 *   a explain q1 / a why q1               why q1 waits / the same and all the rest that it says
 *   a queue / a groups                    what waits at a, in order / what a reports
 *   a sent q1 / a stamp q1                something of q1 leaves for a worker / what its tasks carry now
 *   a nowhere q1                          nothing of q1 is on a worker any more
 *   a leases / a overslept / a lost rm-1  what a holds / a stood still / its stream to rm-1 broke
 *   rm-1 owns global / rm-1 loses         rm-1 owns these root groups, with the next epoch / owns none any more
 *   loud                                  from now on messages are told, too, that say nothing new
 *   rm-1 late / rm-1 caught-up            what rm-1 says is late / arrives now
 *   rm-1 cut a / rm-1 connects a          nothing goes between them any more / a opens a stream to it
 *   worker q1=a/global.etl ...            all that a worker runs
 *   pass 500 / restart / totals           time passes / the resource manager begins anew / what it tells people
 */
export class Story {
  private nowMs = 0;
  private config: GroupConfig = { rootGroups: [], selectors: [] };
  private cluster = { activeWorkers: 0, memoryBytes: 0 };
  private isAuto = false;
  private ledger = new UsageLedger({ expireAfterMs: EXPIRE_AFTER_MS });
  private ledgerLife = 1;
  private readonly coordinators = new Map<string, StoryCoordinator>();
  private readonly owners = new StoryOwners(
    () => instant(this.nowMs++),
    () => [...this.coordinators.values()],
    () => this.config,
  );

  run(commands: string): string {
    return commands
      .split('\n')
      .flatMap((line) => [...this.runLine(line.trim().split(/\s+/)), ...this.owners.deliver()])
      .join('\n');
  }

  private runLine([first = '', ...rest]: string[]): string[] {
    this.nowMs++;
    const [verb = ''] = rest;
    switch (first) {
      case 'groups':
        this.config = storyConfig(rest);
        return [];
      case 'reload':
        this.config = storyConfig(rest);
        this.owners.configure();
        return this.everybody((coordinator) => coordinator.apply({ kind: 'configured', config: this.config }));
      case 'cluster':
        this.cluster = { activeWorkers: Number(verb), memoryBytes: parseSizeBytes(rest[1] ?? '0B') ?? 0 };
        return this.everybody((coordinator) => coordinator.apply({ kind: 'clusterChanged', ...this.cluster }));
      case 'auto':
        this.isAuto = true;
        return [];
      case 'loud':
        this.owners.isLoud = true;
        return [];
      case 'pass':
        return this.pass(this.nowMs + (parseDurationMs(verb) ?? Number(verb)));
      case 'totals':
        return this.totals();
      case 'restart':
        this.ledger = new UsageLedger({ expireAfterMs: EXPIRE_AFTER_MS });
        this.ledgerLife++;
        return [];
      case 'worker':
        return this.workerRuns(rest);
      default:
        if (first.startsWith('rm-')) return this.manager(first, rest);
        return this.coordinator(first).act(verb, rest.slice(1));
    }
  }

  private manager(seat: string, [verb = '', ...names]: readonly string[]): string[] {
    const [id = ''] = names;
    if (verb === 'owns') this.owners.acquire(seat, names);
    else if (verb === 'loses') this.owners.lose(seat);
    else if (verb === 'late') this.owners.keep(seat);
    else if (verb === 'caught-up') this.owners.release(seat);
    else if (verb === 'cut') this.owners.cutOff(id, seat);
    else if (verb === 'connects') this.owners.connect(id, seat);
    else throw new Error(`a resource manager does not know how to ${verb}`);
    return [];
  }

  /** Time goes by, and whoever has something to do for leases does it when it is due. */
  private pass(untilMs: number): string[] {
    const lines: string[] = [];
    for (;;) {
      const dueAt = Math.min(this.owners.wakeAt, ...Array.from(this.coordinators.values(), ({ wakeAt }) => wakeAt));
      if (dueAt > untilMs) break;
      this.nowMs = Math.max(this.nowMs, dueAt);
      const now = instant(this.nowMs);
      for (const coordinator of this.coordinators.values())
        if (coordinator.wakeAt <= now) lines.push(...coordinator.apply({ kind: 'tick' }, now));
      this.owners.tick(now);
      lines.push(...this.owners.deliver());
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    return lines;
  }

  private workerRuns(tasks: readonly string[]): string[] {
    const task = (text: string) => {
      const [queryId = '', coordinatorId = '', group = ''] = text.split(/[=/]/);
      return { queryId, coordinatorId, group };
    };
    this.ledger.recordWorker('w', tasks.map(task), instant(this.nowMs));
    return [];
  }

  private totals(): string[] {
    return this.ledger.groups(instant(this.nowMs)).map((total) => {
      const shares = total.coordinators.map((share) => `${share.coordinatorId} ${share.running}+${share.queued}`);
      const { group, running, queued, hardConcurrencyLimit: limit } = total;
      const cpuMs = this.ledger.cpuUsedMs(instant(this.nowMs)).get(group);
      const cpu = cpuMs === undefined ? '' : `, ${formatDuration(cpuMs)} of CPU`;
      return `${group}: ${running} of ${limit} run, ${queued} wait${cpu} (${shares.join(', ')})`;
    });
  }

  private everybody(act: (coordinator: StoryCoordinator) => string[]): string[] {
    return [...this.coordinators.values()].flatMap(act);
  }

  private coordinator(id: string): StoryCoordinator {
    let coordinator = this.coordinators.get(id);
    if (coordinator === undefined) {
      coordinator = new StoryCoordinator(id, {
        config: () => this.config,
        ledger: () => this.ledger,
        answeredBy: () => `rm/${this.ledgerLife}`,
        isAuto: () => this.isAuto,
        next: () => instant(this.nowMs++),
        demand: (from, demands) => this.owners.demand(from, demands),
      });
      coordinator.apply({ kind: 'clusterChanged', ...this.cluster }, instant(this.nowMs));
      this.coordinators.set(id, coordinator);
      this.owners.greet(coordinator);
    }
    return coordinator;
  }
}
