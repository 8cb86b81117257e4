import { formatDuration, type Instant, parseDurationMs, parseSizeBytes, nodeId, queryId } from '@tutti/base';
import type { GroupConfig } from '../group-config.js';
import type { GroupCounts, GroupEffect, GroupEvent, QueryRejected } from '../group-events.js';
import { GroupTree } from '../group-tree.js';
import type { UsageSnapshot } from '../group-usage.js';
import type { UsageLedger } from '../usage-ledger.js';
import { leasesOf } from './leases-of.js';
import { storyTarget } from './story-groups.js';

const USAGE_MAX_AGE_MS = 3_000;

/** What a coordinator of a story finds around itself. */
export interface StoryWorld {
  config(): GroupConfig;
  ledger(): UsageLedger;
  /** The resource manager's name and life. */
  answeredBy(): string;
  /** Whether questions are answered at once. */
  isAuto(): boolean;
  /** Demands leave for resource managers; what is told of it. */
  demand(id: string, demands: readonly Extract<GroupEffect, { kind: 'demand' }>[]): string[];
  /** The time; it goes on by a millisecond. */
  next(): Instant;
}

/** A coordinator of a story: the real group tree, and a shell that does as it is told. */
export class StoryCoordinator {
  private readonly tree: GroupTree;
  private sequence = 0;
  private answer: UsageSnapshot | undefined;
  /** Since when those wait that must select a group anew. */
  private readonly reselected = new Map<string, Instant>();

  constructor(
    readonly id: string,
    private readonly world: StoryWorld,
  ) {
    this.tree = new GroupTree({ config: world.config(), usageMaxAgeMs: USAGE_MAX_AGE_MS, leases: leasesOf(id) });
  }

  act(verb: string, [name = '', ...rest]: string[]): string[] {
    const [first = '', second = ''] = rest;
    switch (verb) {
      case 'submit': {
        const priority = Number(/^prio=(\d+)$/.exec(second)?.[1] ?? 1);
        const target = storyTarget(this.tree.config, first);
        const queuedSince = this.reselected.get(name);
        const since = queuedSince === undefined ? {} : { queuedSince };
        return this.apply({ kind: 'submitted', queryId: queryId(name), target, priority, ...since });
      }
      case 'used': {
        const [memoryBytes = 0, cpuMs = 0] = [parseSizeBytes(first), parseDurationMs(second)];
        return this.apply({ kind: 'used', queryId: queryId(name), memoryBytes, cpuMs });
      }
      case 'sent':
        return this.apply({ kind: 'sent', queryId: queryId(name) });
      case 'nowhere':
        return this.apply({ kind: 'nowhere', queryId: queryId(name) });
      case 'stamp':
        return [this.stamp(name)];
      case 'leases':
        return this.leases();
      case 'overslept':
        return this.apply({ kind: 'overslept' });
      case 'lost':
        return this.apply({ kind: 'leaseStreamLost', seat: nodeId(name) });
      case 'finish':
        return this.apply({ kind: 'finished', queryId: queryId(name) });
      case 'tick':
        return this.apply({ kind: 'tick' });
      case 'unavailable': {
        const since = this.world.next();
        return this.apply({ kind: 'usageUnavailable', since }, since);
      }
      case 'explain':
        return [this.tree.explain(queryId(name), this.world.next())?.message ?? 'does not wait'];
      case 'why':
        return this.why(name);
      case 'queue':
        return this.tree.queuedInOrder().map((query) => `${query.group}: ${query.queryId}`);
      case 'groups':
        return this.groups();
      case 'report':
        this.world.ledger().record(this.report(this.tree.countsBetweenQuestions()), this.world.next());
        return [];
      case 'send-ask':
        this.sendAsk();
        return [];
      case 'hear-answer':
        return this.hearAnswer();
      case 'ask':
        this.sendAsk();
        return this.hearAnswer();
      default:
        throw new Error(`a coordinator does not know how to ${verb}`);
    }
  }

  apply(event: GroupEvent, now = this.world.next()): string[] {
    const effects = this.tree.apply(event, now);
    const demands = effects.flatMap((effect) => (effect.kind === 'demand' ? [effect] : []));
    return [...effects.flatMap((effect) => this.told(effect)), ...this.world.demand(this.id, demands)];
  }

  private told(effect: GroupEffect): string[] {
    switch (effect.kind) {
      case 'askUsage':
        if (!this.world.isAuto()) return [`${this.id}: wants to ask`];
        this.sendAsk();
        return this.hearAnswer();
      case 'reject':
        return [`${this.id}: reject ${effect.queryId}, ${whyRejected(effect)}`];
      case 'reselect':
        this.reselected.set(effect.queryId, effect.queuedSince);
        return [`${this.id}: reselect ${effect.queryId}`];
      case 'start':
        return [`${this.id}: start ${effect.queryId}`];
      case 'requeue':
        return [`${this.id}: requeue ${effect.queryId}`];
      case 'demand':
        return []; // All of a turn together.
    }
  }

  /** When leases want something. */
  get wakeAt(): Instant {
    return this.tree.wakeAt();
  }

  private stamp(id: string): string {
    const stamp = this.tree.taskStamp(queryId(id), this.world.next());
    if (stamp === undefined || stamp === 'notNow') return stamp ?? 'none';
    return `epoch ${stamp.stamp.epoch}, demand ${stamp.stamp.seq}`;
  }

  private leases(): string[] {
    return this.tree.leaseFigures(this.world.next()).map(({ group, seat, epoch, held, running, waiting, isValid }) => {
      const lease = `${isValid ? 'lease' : 'no lease'} of ${seat ?? 'nobody'}, epoch ${epoch}`;
      return `${group}: ${running} of ${held} run, ${waiting} wait; ${lease}`;
    });
  }

  private why(id: string): string[] {
    const explanation = this.tree.explain(queryId(id), this.world.next());
    if (explanation === undefined) return ['does not wait'];
    const { kind, blockingGroup, limit, used, claimsHere, position, message, unblockedBy, estimatedWaitMs } =
      explanation;
    const estimate = estimatedWaitMs === undefined ? 'not known' : formatDuration(estimatedWaitMs);
    return [
      message,
      `  ${kind} of ${blockingGroup}: ${used} of ${limit}; ${claimsHere} claims here; number ${position}`,
      `  until ${unblockedBy}; estimate: ${estimate}`,
    ];
  }

  private groups(): string[] {
    return this.tree.counts().map(({ group, running, queued, template, cpuMs, memoryBytes }) => {
      const of = template === '' ? '' : ` of ${template}`;
      const cpu = cpuMs > 0 ? `, ${cpuMs} ms of CPU` : '';
      const memory = memoryBytes > 0 ? `, ${memoryBytes} B` : '';
      return `${group}${of}: ${running} run, ${queued} wait${cpu}${memory}`;
    });
  }

  private sendAsk(): void {
    const requestedAt = this.world.next();
    const report = this.report(this.tree.counts());
    const ledger = this.world.ledger();
    ledger.record(report, requestedAt);
    const { coordinators, ...answer } = ledger.usageFor(report, requestedAt);
    const oldestDataAgeMs = Math.max(0, ...coordinators.map(({ ageMs }) => ageMs));
    const answeredBy = this.world.answeredBy();
    this.answer = { ...answer, requestedAt, answeredBy, oldestDataAgeMs, coordinatorCount: coordinators.length };
  }

  private hearAnswer(): string[] {
    return this.answer === undefined ? [] : this.apply({ kind: 'usageArrived', usage: this.answer });
  }

  private report(groups: readonly GroupCounts[]) {
    return { coordinatorId: this.id, incarnation: 1, sequence: ++this.sequence, groups };
  }
}

function whyRejected({ reason, group, limit, templates }: QueryRejected): string {
  switch (reason) {
    case 'queueFull':
      return `"${group}" is full`;
    case 'queueTimeout':
      return `it waited for ${formatDuration(limit)} in "${group}"`;
    case 'tooManyGroups':
      return `there are ${limit} groups of "${group}"`;
    case 'ambiguousGroup':
      return `"${group}" is of ${templates?.existing}, not of ${templates?.wanted}`;
  }
}
