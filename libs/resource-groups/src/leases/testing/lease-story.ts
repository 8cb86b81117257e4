import { parseDurationMs } from '@tutti/base';
import { groupSpec, type GroupSpec, type SchedulingPolicy } from '../../group-config.js';
import { childPath } from '../../group-path.js';
import { LEASE_TIMING } from '../lease-timing.js';
import { LeaseWorld, type WorldEffect } from './lease-world.js';
import type { SimProcess } from './sim-process.js';

/**
 * Coordinators, workers and resource managers that do what the lines of a transcript say, on a network where a message
 * takes 1 ms. What a reader wants to know is told with the time since the last block; all else only after `tell all`.
 *
 *   groups a=4 b=6:fair(x=4 y=3)      the root groups from now on, with limits, policies and subgroups
 *   cluster 2 1 2                     so many coordinators c1.., workers w1.., resource managers m1..; all start
 *   elect m1 / elect m1 forgetting    m1 owns the groups, with what the seats kept, or with nothing
 *   submit c1 a 3 for 2s              three queries; `priority 5` at the end gives them one
 *   wait 1s
 *   kill c1 / start c1 / pause c1 / resume c1 / resign m1
 *   cut c1 m1 / heal                  who cannot talk
 *   say c1 grant epoch=9 a=5          c1 hears a grant that nobody made; `ack=3` says for which demand
 *   say m1 demand c1 a=5              the owner hears from c1 that it holds so many; `life=..` from another life
 *   again c1 / again m1               the last message to it comes once more
 *   show                              who runs, waits and holds how many, and what the owner has booked
 *   tell all / tell events
 */
export class LeaseStory {
  private readonly lines: string[] = [];
  private rootGroups: GroupSpec[] = [];
  private made: LeaseWorld | undefined;
  private since = 0;
  private tellsAll = false;
  private readonly lastTo = new Map<string, () => void>();

  run(commands: string): string {
    this.lines.length = 0;
    this.since = this.made?.time.now ?? 0;
    for (const line of commands.split('\n')) this.runLine(line.trim().split(/\s+/));
    return this.lines.join('\n');
  }

  private get world(): LeaseWorld {
    if (this.made === undefined) throw new Error('a story begins with its cluster');
    return this.made;
  }

  private runLine([verb = '', ...words]: string[]): void {
    const [first = '', second = ''] = words;
    switch (verb) {
      case 'groups':
        this.rootGroups = groupsOf(words);
        return this.made?.configure(this.rootGroups);
      case 'cluster':
        return this.begin(words.map(Number));
      case 'elect':
        return this.world.elect(this.world.manager(first), second === 'forgetting' ? 1 : 0);
      case 'submit':
        return this.submit(words);
      case 'wait':
        return this.world.time.runUntil(this.world.time.now + (parseDurationMs(first) ?? 0));
      case 'kill':
        if (this.world.ownerProcess?.name === first) this.world.dethrone();
        return this.process(first).stop();
      case 'start':
        return this.process(first).start();
      case 'pause':
        return this.process(first).pause();
      case 'resume':
        return this.process(first).resume();
      case 'resign':
        return this.world.manager(first).apply({ kind: 'resigning' });
      case 'cut':
        return this.world.network.cut(first, second);
      case 'heal':
        return this.world.network.heal();
      case 'say':
        return this.say(words);
      case 'again':
        return this.lastTo.get(first)?.();
      case 'show':
        return this.show();
      case 'tell':
        this.tellsAll = first === 'all';
        return;
      default:
        throw new Error(`leases do not know how to ${verb}`);
    }
  }

  private begin([coordinators = 1, workers = 1, managers = 1]: number[]): void {
    const onEffect = (process: SimProcess, effect: WorldEffect): void => this.note(process, effect);
    const sizes = { coordinators, workers, managers, driftMax: 0 };
    const timing = { ...LEASE_TIMING, renewJitter: 0 };
    this.made = new LeaseWorld({ seed: 1, timing, rootGroups: this.rootGroups, ...sizes, onEffect });
    this.made.copyMs = 1;
    this.made.slowCopyRate = 0;
    this.made.start();
  }

  private submit([name = '', group = '', count = '1', ...rest]: string[]): void {
    const durationMs = parseDurationMs(rest[rest.indexOf('for') + 1] ?? '') ?? 1_000;
    const at = rest.indexOf('priority');
    const priority = at < 0 ? 1 : Number(rest[at + 1]);
    for (let index = 0; index < Number(count); index++)
      this.world.coordinator(name).submit(group, [[durationMs]], priority);
  }

  private say([name = '', kind = '', ...rest]: string[]): void {
    const named = new Map(rest.map((word) => word.split('=') as [string, string]));
    const number = (key: string, otherwise: number): number => Number(named.get(key) ?? otherwise);
    const groups = rest.map((word) => word.split('=')).filter(([key = '']) => this.world.presentLimitOf(key) > 0);
    const { world } = this;
    if (kind === 'grant') {
      const { epochSeen, lastSeq } = world.coordinator(name).holder.position;
      const caps = groups.map(([group = '', cap]) => ({ group, cap: Number(cap) }));
      const said = { kind: 'pushed', epoch: number('epoch', epochSeen), ackSeq: number('ack', lastSeq) } as const;
      const grant = { ...said, number: number('number', 1), ttlMs: 0, caps, wishes: [], hints: [] };
      return world.coordinator(name).apply({ kind: 'grant', grant });
    }
    const [from = ''] = rest;
    world.checks.expectedOverclaims = Infinity;
    const { holder, incarnation } = world.coordinator(from);
    const { epochSeen, lastSeq } = holder.position;
    const leaves = groups.map(([group = '', held]) => {
      const none = { running: 0, waiting: 0, oldest: [], slack: 0 };
      return { group, template: group, held: Number(held), ...none };
    });
    const life = { coordinatorId: from, incarnation: number('life', incarnation) };
    const order = { seq: number('seq', lastSeq), ownerEpoch: number('epoch', epochSeen), baseSeq: undefined };
    const { epoch, seq } = holder.taskStamp();
    const rest2 = { epochSeen: number('seen', epochSeen), stamp: { epoch, seq }, isLapsed: false, leaves };
    world.manager(name).apply({ kind: 'demand', demand: { ...life, ...order, ...rest2 } });
  }

  private show(): void {
    const { world } = this;
    for (const { name, isAlive, holder, ...coordinator } of world.everybody()) {
      if (!isAlive) continue;
      const leaves = coordinator.groups.map(({ group, running, waiting }) => {
        const held = holder.explain(group, coordinator.now)?.held ?? 0;
        return `${group} runs ${running} waits ${waiting} holds ${held}`;
      });
      this.lines.push(
        `${name}: ${holder.isValid(coordinator.now) ? '' : 'no lease, '}${leaves.join(', ') || 'nothing'}`,
      );
    }
    for (const { group, limit, booked, unmet } of world.ownerProcess?.owner.groups() ?? [])
      this.lines.push(
        `${group}: ${world.checks.countOf(group)} on workers, ${booked} of ${limit} booked, ${unmet} unmet`,
      );
  }

  private note(process: SimProcess, effect: WorldEffect): void {
    if (effect.kind === 'send') {
      const { demand } = effect;
      const owner = this.world.ownerProcess;
      if (owner) this.lastTo.set(owner.name, () => owner.apply({ kind: 'demand', demand }));
    }
    if (effect.kind === 'grant') {
      const { grant, to } = effect;
      const coordinator = this.world.coordinator(to.coordinatorId);
      this.lastTo.set(coordinator.name, () => coordinator.apply({ kind: 'grant', grant }));
    }
    const text = this.textOf(effect);
    const seconds = ((this.world.time.now - this.since) / 1_000).toFixed(3);
    if (text !== undefined) this.lines.push(`${seconds}s ${process.name} ${text}`);
  }

  private textOf(effect: WorldEffect): string | undefined {
    const all = (text: string): string | undefined => (this.tellsAll ? text : undefined);
    switch (effect.kind) {
      case 'started':
        return `starts a query of ${effect.query.group}`;
      case 'lapsed':
        return 'has no lease any more';
      case 'send': {
        const { leaves, isLapsed, baseSeq } = effect.demand;
        const told = leaves.map(({ group, running, waiting, held }) => `${group} ${running}+${waiting}/${held}`);
        const kind = isLapsed ? 'asks anew' : baseSeq === undefined ? 'tells everything' : 'tells';
        return all(`${kind}: ${told.join(', ') || 'nothing new'}`);
      }
      case 'grant': {
        const { kind, caps, wishes } = effect.grant;
        const asked = wishes.map(
          ({ group, mode, keep }) => `(${group} ${mode === 'none' ? mode : `${mode} above ${keep}`})`,
        );
        const told = [...caps.map(({ group, cap }) => `${group}=${cap}`), ...asked].join(' ');
        const isUsual = kind === 'renewed' || kind === 'pushed';
        const text = `${kind} for ${effect.to.coordinatorId}${told === '' ? '' : `: ${told}`}`;
        return isUsual ? all(text) : text;
      }
      case 'fences': {
        const { fences, version, epochFloor, leasedRootGroups } = effect.list;
        if (version === 0) return undefined;
        if (fences.length + epochFloor === 0)
          return `tells ${effect.workerId} that these need leases: ${leasedRootGroups.join(' ')}`;
        const names = fences.map(({ coordinatorId }) => coordinatorId);
        return `tells ${effect.workerId} to refuse: ${names.join(' ') || 'old epochs'}`;
      }
      case 'learned':
        return 'has learned';
      case 'epochSeen':
        return `hears of epoch ${effect.epoch}`;
      case 'wroteOff':
        return `writes off ${effect.queries} queries of ${effect.what}`;
      case 'copy':
        return all(`copies ${effect.entries.length}`);
      case 'mayResign':
        return 'may resign';
      case 'startable':
        return undefined;
    }
  }

  private process(name: string): SimProcess {
    const { coordinators, workers, managers } = this.world;
    const found = [...coordinators, ...workers, ...managers].find((process) => process.name === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  }
}

/** Reads a=4 b=6:fair(x=4 y=3). */
function groupsOf(words: readonly string[], parent?: string): GroupSpec[] {
  const specs: GroupSpec[] = [];
  const text = words.join(' ');
  const pattern = /(\w+)=(\d+)(?::(\w+))?(?:\(([^)]*)\))?/g;
  for (const [, name = '', limit, policy = 'fair', inside] of text.matchAll(pattern)) {
    const template = childPath(parent, name);
    const subGroups = inside === undefined ? [] : groupsOf(inside.split(' '), template);
    const limits = { hardConcurrencyLimit: Number(limit), maxQueued: 1_000 };
    specs.push(groupSpec({ name, template, ...limits, schedulingPolicy: policy as SchedulingPolicy, subGroups }));
  }
  return specs;
}
