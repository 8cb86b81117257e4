// Fragments whose session is on its way: a coordinator sends both at once, and the second message may come first.
//   A1. Who waits goes on when the session begins, when it gives up, or after WAIT_MS.
//   A2. At most WAITING_MAX wait; who comes then goes on at once.
import { type Clock, type TaskId } from '@tutti/base';

/** Much longer than one message can be ahead of another one on the same connection. */
const WAIT_MS = 1_000;
const WAITING_MAX = 1_000;

export class SessionArrivals {
  private readonly waiting = new Map<TaskId, Set<() => void>>();
  private count = 0;

  constructor(private readonly clock: Clock) {}

  /** The session has begun. */
  arrived(taskId: TaskId): void {
    for (const go of this.waiting.get(taskId) ?? []) go();
  }

  /** Never rejects. */
  async wait(taskId: TaskId, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.count >= WAITING_MAX) return; // A2
    const others = this.waiting.get(taskId) ?? new Set();
    this.waiting.set(taskId, others);
    this.count++;
    let go = (): void => {};
    const gone = new Promise<void>((resolve) => (go = resolve));
    others.add(go);
    const cancel = this.clock.schedule(WAIT_MS, go);
    signal.addEventListener('abort', go, { once: true });
    await gone;
    cancel();
    signal.removeEventListener('abort', go);
    this.count--;
    others.delete(go);
    if (others.size === 0) this.waiting.delete(taskId);
  }
}
