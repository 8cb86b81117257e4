import type { Clock } from '@tutti/base';
import type { DeskNote } from '@tutti/resource-groups';
import type { Log, LogFields } from '@tutti/service';

/** What happens to many shards within this time is one line. */
const GATHER_MS = 200;

interface Line {
  readonly event: string;
  readonly fields: LogFields;
  readonly shards: number[];
}

/** Writes what the desk notes. */
export class DeskLog {
  private readonly lines = new Map<string, Line>();

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  note(note: DeskNote): void {
    const { shard } = note;
    switch (note.kind) {
      case 'acquired':
        return this.gather('shards-acquired', shard, { knows: note.knows });
      case 'learned':
        return this.gather('shards-learned', shard, {});
      case 'lost':
        return this.gather('shards-lost', shard, { reason: note.reason });
      case 'copyRefused':
        return this.gather('copies-refused', shard, { reason: note.reason });
      case 'wroteOff': {
        const message = 'they are not counted any more; if they still run, limits are exceeded by them';
        return this.log.warn('queries-written-off', { shard, what: note.what, queries: note.queries, message });
      }
      case 'overclaim':
        return this.log.warn('overclaim', { shard, ...note.life });
    }
  }

  /** Writes what was gathered. */
  flush(): void {
    for (const { event, fields, shards } of this.lines.values())
      this.log.info(event, { ...fields, shards: shards.join(' ') });
    this.lines.clear();
  }

  private gather(event: string, shard: number, fields: LogFields): void {
    if (this.lines.size === 0) this.clock.schedule(GATHER_MS, () => this.flush());
    const key = `${event} ${JSON.stringify(fields)}`;
    const line = this.lines.get(key) ?? { event, fields, shards: [] };
    line.shards.push(shard);
    this.lines.set(key, line);
  }
}
