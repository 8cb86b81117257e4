import { parseDurationMs } from '@tutti/base';
import { type AdmissionMode, groupSpec, type GroupSpec } from '../../group-config.js';
import { shardOfGroup } from '../../seats/shard.js';
import { LEASE_TIMING } from '../lease-timing.js';
import type { DeskManager } from './desk-manager.js';
import { DeskWorld, type DeskWorldEffect } from './desk-world.js';
import type { SimProcess } from './sim-process.js';

/**
 * Desks, coordinators and workers that do what the lines of a transcript say, on a network where a message takes 10 ms.
 * What a reader wants to know is told with the time since the last block, for the shards of the root groups in the story.
 *
 *   groups a=4 b=6:gated u-${USER}=2  the root groups from now on, with limits and modes
 *   cluster 2 1 3 / cluster 2 1 3 first    so many coordinators c1.., workers w1.., resource managers m1..; `first`: vouched
 *   start m1 c1 w1 / kill / pause / resume / drain m1 / suspend m1
 *   submit c1 a 3 for 2s              three queries
 *   unasked c1 a 2 for 2s             the same as an old coordinator does it, that knows no leases
 *   wait 1s
 *   cut m1 m2 / alone m1 / heal       who cannot talk; m1 can talk to nobody
 *   demand c1 m1 a=5                  m1 hears from c1, on its stream, that it holds 5; `life=..`, `epoch=..`, `seen=..` lie
 *   writeoff c1                       to all resource managers
 *   show                              who owns what, and who runs, waits and holds how many
 *   messages 10s                      time passes; how many messages a second each process sent meanwhile
 */
export class DeskStory {
  private readonly lines: string[] = [];
  private rootGroups: GroupSpec[] = [];
  private made: DeskWorld | undefined;
  private since = 0;

  run(commands: string): string {
    this.lines.length = 0;
    this.since = this.made?.time.now ?? 0;
    for (const line of commands.split('\n')) this.runLine(line.trim().split(/\s+/));
    return this.lines.join('\n');
  }

  private get world(): DeskWorld {
    if (this.made === undefined) throw new Error('a story begins with its cluster');
    return this.made;
  }

  private runLine([verb = '', ...words]: string[]): void {
    const [first = '', second = ''] = words;
    const each = (action: (process: SimProcess<DeskWorld>) => void): void =>
      words.map((name) => this.world.process(name)).forEach(action);
    switch (verb) {
      case 'groups':
        this.rootGroups = words.map(rootOf);
        return this.made?.configure(this.rootGroups);
      case 'cluster':
        return this.begin(words.slice(0, 3).map(Number), words.includes('first'));
      case 'start':
        return each((process) => process.start());
      case 'kill':
        return each((process) => process.stop());
      case 'pause':
        return each((process) => process.pause());
      case 'resume':
        return each((process) => process.resume());
      case 'drain':
        return void this.world.manager(first).apply({ kind: 'drain' });
      case 'suspend':
        return void this.world.manager(first).apply({ kind: 'overslept' });
      case 'submit':
      case 'unasked':
        return this.submit(verb, words);
      case 'wait':
        return this.world.time.runUntil(this.world.time.now + (parseDurationMs(first) ?? 0));
      case 'cut':
        return this.world.network.cut(first, second);
      case 'alone':
        return this.world.everybody.forEach(({ name }) => this.world.network.cut(first, name));
      case 'heal':
        return this.world.network.heal();
      case 'demand':
        return this.demand(words);
      case 'writeoff':
        return this.world.managers.forEach((manager) => manager.apply({ kind: 'writeOff', coordinatorId: first }));
      case 'show':
        return this.show();
      case 'messages':
        return this.countMessages(parseDurationMs(first) ?? 0);
      default:
        throw new Error(`desks do not know how to ${verb}`);
    }
  }

  private begin([coordinators = 1, workers = 1, managers = 1]: number[], isFirstStart: boolean): void {
    const sizes = { coordinators, workers, managers, driftMax: 0, isFirstStart };
    const tuning = { timing: { ...LEASE_TIMING, renewJitter: 0 } };
    const onEffect = (process: SimProcess<DeskWorld>, effect: DeskWorldEffect): void => this.note(process, effect);
    this.made = new DeskWorld({ seed: 1, rootGroups: this.rootGroups, ...sizes, tuning, onEffect });
    this.since = 0;
    for (const process of this.made.everybody.reverse()) process.start();
  }

  private submit(how: 'submit' | 'unasked', [name = '', group = '', count = '1', ...rest]: string[]): void {
    const durationMs = parseDurationMs(rest[rest.indexOf('for') + 1] ?? '') ?? 1_000;
    const coordinator = this.world.coordinator(name);
    if (how === 'unasked') this.world.hasLiars = true;
    for (let index = 0; index < Number(count); index++) {
      if (how === 'submit') coordinator.submit(group, durationMs);
      else coordinator.startUnasked(group, durationMs);
    }
  }

  private demand([from = '', to = '', ...rest]: string[]): void {
    const { world } = this;
    world.hasLiars = true;
    const { name: coordinatorId, incarnation, holders } = world.coordinator(from);
    const named = new Map(rest.map((word) => word.split('=') as [string, string]));
    const number = (key: string, otherwise: number): number => Number(named.get(key) ?? otherwise);
    const [group = '', held] = rest[0]?.split('=') ?? [];
    const shard = shardOfGroup(group);
    const { epochSeen = 0, lastSeq = 0 } = holders.get(shard)?.position ?? {};
    const { epoch, seq } = holders.get(shard)?.taskStamp() ?? { epoch: 0, seq: 0 };
    const none = { running: 0, waiting: 0, oldest: [], slack: 0 };
    const order = { seq: number('seq', lastSeq + 1), ownerEpoch: number('epoch', epochSeen), baseSeq: undefined };
    const demand = {
      ...{ coordinatorId, incarnation: number('life', incarnation), ...order, epochSeen: number('seen', epochSeen) },
      ...{ stamp: { epoch, seq }, isLapsed: false },
      leaves: [{ group, template: group, held: Number(held), ...none }],
    };
    const manager = world.manager(to);
    const { counters } = manager.desk ?? {};
    manager.apply({ kind: 'demands', life: { coordinatorId, incarnation }, demands: [{ shard, demand }] });
    if (manager.desk && counters && manager.desk.counters.demandsIgnored > counters.demandsIgnored)
      this.tell(manager, 'ignores it');
  }

  private show(): void {
    const { world } = this;
    for (const coordinator of world.coordinators) {
      if (!coordinator.isAlive) continue;
      const groups = Array.from(coordinator.leaves.values(), ({ group, running, waiting }) => {
        const holding = coordinator.holdingOf(group);
        return `${group} runs ${running} waits ${waiting.length} ${holding === undefined ? 'no lease' : `holds ${holding}`}`;
      });
      this.lines.push(`${coordinator.name}: ${groups.join(', ') || 'nothing'}`);
    }
    for (const { name, desk } of world.managers) {
      for (const { shard, phase } of desk?.owned() ?? []) {
        const roots = this.rootsOf(shard);
        if (roots.length === 0) continue;
        const dealt = desk?.groups().filter(({ group }) => shardOfGroup(group) === shard) ?? [];
        const booked = dealt.map(({ group, booked, limit }) => `${group} ${booked} of ${limit}`).join(', ');
        const holders = roots.flatMap((root) => desk?.heldBy(root) ?? []);
        const held = holders.map((by) => `${by.coordinatorId} ${by.held}${by.isSilent ? ' (silent)' : ''}`).join(', ');
        this.lines.push(`${name} is ${phase} ${roots.join(' ')}: ${booked || 'nothing'}${held && `; ${held}`}`);
      }
    }
    for (const { group } of new Map(this.rootGroups.map((root) => [root.name, { group: root.name }])).values())
      if (world.checks.countOf(group) > 0) this.lines.push(`${group}: ${world.checks.countOf(group)} on workers`);
  }

  private countMessages(forMs: number): void {
    const { managers, coordinators, time } = this.world;
    const before = [...managers.map(({ messages }) => messages), ...coordinators.map(({ demands }) => demands)];
    time.runUntil(time.now + forMs);
    const after = [...managers.map(({ messages }) => messages), ...coordinators.map(({ demands }) => demands)];
    [...managers, ...coordinators].forEach(({ name }, index) => {
      const perSecond = ((after[index] ?? 0) - (before[index] ?? 0)) / (forMs / 1_000);
      this.lines.push(`${name}: ${perSecond.toFixed(1)}/s`);
    });
  }

  private note(process: SimProcess<DeskWorld>, effect: DeskWorldEffect): void {
    const text = this.textOf(process, effect);
    if (text !== undefined) this.tell(process, text);
  }

  private tell(process: SimProcess<DeskWorld>, text: string): void {
    const seconds = ((this.world.time.now - this.since) / 1_000).toFixed(2);
    this.lines.push(`${seconds}s ${process.name} ${text}`);
  }

  private textOf(process: SimProcess<DeskWorld>, effect: DeskWorldEffect): string | undefined {
    switch (effect.kind) {
      case 'started':
        return `starts a query of ${effect.group}`;
      case 'ended':
        return effect.how === 'ended' ? undefined : `has a query of ${effect.group} refused: ${effect.how}`;
      case 'lapsed':
        return 'has no lease any more';
      case 'drained':
        return 'is drained';
      case 'fences': {
        const { fences, version, epochFloor, leasedRootGroups } = effect.list;
        if (version === 0 || !this.rootsOf(effect.shard).length) return undefined;
        if (fences.length + epochFloor === 0)
          return `tells ${effect.workerId} that these need leases: ${leasedRootGroups.join(' ') || 'none'}`;
        const names = fences.map(({ coordinatorId }) => coordinatorId).join(' ');
        return `tells ${effect.workerId} to refuse: ${names || 'old epochs'}`;
      }
      case 'grant':
        return effect.grant.kind === 'lapsed' || effect.grant.kind === 'refused'
          ? `${effect.grant.kind} for ${effect.to.coordinatorId}`
          : undefined;
      case 'note':
        return this.textOfNote(process as DeskManager, effect.note);
      default:
        return undefined;
    }
  }

  private textOfNote(_: DeskManager, note: Extract<DeskWorldEffect, { kind: 'note' }>['note']): string | undefined {
    const roots = this.rootsOf(note.shard).join(' ');
    if (roots === '') return undefined;
    switch (note.kind) {
      case 'acquired':
        return `owns ${roots} (${HOW[note.knows]})`;
      case 'lost':
        return `lost ${roots}: ${note.reason}`;
      case 'learned':
        return `has learned ${roots}`;
      case 'overclaim':
        return `was told by ${note.life.coordinatorId} that it holds more than it was dealt`;
      case 'wroteOff':
        return `writes off ${note.queries} queries of ${note.what}`;
      case 'copyRefused':
        return `cannot copy: ${note.reason}`;
    }
  }

  private rootsOf(shard: number): string[] {
    const names = this.rootGroups.filter(({ isDynamic }) => !isDynamic).map(({ name }) => name);
    const made = this.world.coordinators.flatMap(({ leaves }) => [...leaves.keys()]);
    return [...new Set([...names, ...made])].filter((name) => shardOfGroup(name) === shard);
  }
}

const HOW = { firstStart: 'first start', handedOver: 'handed over', copies: 'with copies', nothing: 'must learn' };

/** Reads b=6:gated. */
function rootOf(word: string): GroupSpec {
  const [, name = '', limit, mode = 'leased'] = /^(.+)=(\d+)(?::(\w+))?$/.exec(word) ?? [];
  const limits = { hardConcurrencyLimit: Number(limit), maxQueued: 1_000 };
  return groupSpec({ name, ...limits, admissionMode: mode as AdmissionMode });
}
