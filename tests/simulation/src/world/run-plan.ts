import type { Violation } from '../checks/admission-checks.js';
import { HungerWatch } from '../checks/hunger-watch.js';
import { FaultDriver } from './fault-driver.js';
import type { Plan, PlannedQuery } from './planned.js';
import { SimQuery } from './sim-query.js';
import { SimWorld, type WorldOptions } from './sim-world.js';

/** What became of a run. */
export interface Outcome {
  readonly violations: readonly Violation[];
  readonly violationCount: number;
  readonly peakOverLimit: number;
  readonly overLimitMs: number;
  readonly usableSlotMs: number;
  readonly usedSlotMs: number;
  readonly slackWaitsMs: readonly number[];
  readonly redealsMs: readonly number[];
  /** Per coordinator and second. */
  readonly messagesPerSecond: number;
  readonly starts: number;
  readonly lost: number;
  readonly rejected: number;
  readonly overclaims: number;
  readonly virtualMs: number;
  readonly steps: number;
  readonly trace: readonly string[];
}

export interface RunOptions extends Omit<WorldOptions, 'onViolation'> {
  /** Ends the run at the first violation. */
  readonly stopsAtViolation?: boolean;
  /** What else is looked at while it runs. */
  readonly onWorld?: (world: SimWorld) => void;
}

/** Queries that have not ended so long after the last one came never will. */
const DRAIN_MS = 240_000;

/** Runs a plan to its end. The same plan always runs the same way. */
export function runPlan(plan: Plan, options: RunOptions = {}): Outcome {
  let isBroken = false;
  const world = new SimWorld(plan, { ...options, onViolation: () => (isBroken = true) });
  const { time, checks } = world;
  const isOver = (): boolean => isBroken && options.stopsAtViolation === true;
  world.start();
  plan.load.forEach((planned, number) => schedule(world, planned, number));
  new FaultDriver(world).schedule(plan.faults);
  new HungerWatch(world).begin(plan.calmFromMs);
  options.onWorld?.(world);
  time.run(plan.endMs, isOver);
  const messages = plan.mode === 'leased' ? world.leaseMessages : world.usageMessages;
  const messagesPerSecond = messages / plan.coordinators / (plan.endMs / 1_000);
  if (!isOver()) time.run(plan.endMs + DRAIN_MS, () => isOver() || world.unfinished === 0);
  if (world.unfinished > 0 && !isOver()) checks.violate('A2', stuckText(world));
  checks.advance();
  const { violations, violationCount, peakOverLimit, overLimitMs, usableSlotMs, usedSlotMs, slackWaitsMs } = checks;
  const count = (state: SimQuery['state']): number => world.queries.filter((query) => query.state === state).length;
  return {
    ...{ violations, violationCount, peakOverLimit, overLimitMs, usableSlotMs, usedSlotMs, slackWaitsMs },
    ...{ messagesPerSecond, redealsMs: world.redeals.redealsMs, overclaims: world.overclaims },
    ...{ starts: checks.waitsMs.length, lost: count('lost'), rejected: count('rejected') },
    ...{ virtualMs: time.now, steps: time.steps, trace: world.trace?.lines ?? [] },
  };
}

function schedule(world: SimWorld, planned: PlannedQuery, number: number): void {
  const query = new SimQuery(number, planned, world.checks.group(planned.group));
  world.queries.push(query);
  world.unfinished++;
  world.time.after(planned.atMs, () => {
    const coordinator = world.coordinatorAt(planned.place);
    query.submittedAt = world.time.now;
    if (coordinator === undefined) return world.end(query, 'lost');
    query.at = coordinator.name;
    world.trace?.note(coordinator, `gets ${query.name} for ${planned.group}`);
    world.submitted(query);
    coordinator.deliver(coordinator.life, () => coordinator.submit(query));
  });
}

function stuckText(world: SimWorld): string {
  const stuck = world.queries.filter(({ isOver }) => !isOver);
  const [first] = stuck;
  return `${stuck.length} queries never end: ${first?.name} of ${first?.at} in ${first?.leaf.path} is ${first?.state}`;
}
