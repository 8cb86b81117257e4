// What an owner counts no more though it may still run: the one way past A1, counted and told each time.
import type { Instant } from '@tutti/base';
import { lifeKey } from './life.js';
import type { OwnerEffect } from './owner-events.js';
import type { OwnerState } from './owner-state.js';

/** An operator vouches that nothing of a coordinator runs. */
export function writeOff(owner: OwnerState, coordinatorId: string, out: OwnerEffect[]): void {
  for (const life of [...owner.lives.values()]) {
    if (life.id.coordinatorId !== coordinatorId || life.standing === 'leased') continue;
    const queries = [...life.holdings.values()].reduce((sum, { counted }) => sum + counted, 0);
    owner.counters.writtenOff += queries;
    out.push({ kind: 'wroteOff', what: `coordinator ${coordinatorId}`, queries });
    owner.dropLife(life);
  }
  owner.evidence.forget(coordinatorId);
}

/** What lost workers ran counts no more, however long ago. Where the coordinator lives it was not counted by them. */
export function writeOffWorkers(owner: OwnerState, now: Instant, out: OwnerEffect[]): void {
  for (const { workerId, lives } of owner.evidence.writeOff(now, owner.timing.lostWorkerWriteOffMs)) {
    owner.copies.forgetWorker(workerId);
    const queries = lives.filter((life) => owner.lives.get(lifeKey(life))?.standing === 'fenced').length;
    owner.counters.writtenOff += queries;
    if (queries > 0) out.push({ kind: 'wroteOff', what: `worker ${workerId}`, queries });
  }
}
