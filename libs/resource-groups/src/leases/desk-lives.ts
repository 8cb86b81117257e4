import type { CoordinatorLife } from '../usage-ledger.js';
import { lifeKey } from './life.js';

/** Which lives of coordinators have streams open. */
export class DeskLives {
  private readonly streams = new Map<string, number>();

  opened(life: CoordinatorLife): void {
    const key = lifeKey(life);
    this.streams.set(key, (this.streams.get(key) ?? 0) + 1);
  }

  closed(life: CoordinatorLife): void {
    const key = lifeKey(life);
    const left = (this.streams.get(key) ?? 0) - 1;
    if (left > 0) this.streams.set(key, left);
    else this.streams.delete(key);
  }

  has(life: CoordinatorLife): boolean {
    return this.streams.has(lifeKey(life));
  }
}
