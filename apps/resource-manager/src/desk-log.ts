import type { DeskNote } from '@tutti/resource-groups';
import type { Log } from '@tutti/service';

/** Writes what the desk notes: what happened to many shards at once in one line. */
export function logNotes(log: Log, notes: readonly DeskNote[]): void {
  const shards = new Map<string, { readonly event: string; readonly fields: object; readonly shards: number[] }>();
  const gather = (event: string, shard: number, fields: object) => {
    const key = `${event} ${JSON.stringify(fields)}`;
    const line = shards.get(key) ?? { event, fields, shards: [] };
    line.shards.push(shard);
    shards.set(key, line);
  };
  for (const note of notes) {
    switch (note.kind) {
      case 'acquired':
        gather('shards-acquired', note.shard, { knows: note.knows });
        break;
      case 'learned':
        gather('shards-learned', note.shard, {});
        break;
      case 'lost':
        gather('shards-lost', note.shard, { reason: note.reason });
        break;
      case 'copyRefused':
        gather('copies-refused', note.shard, { reason: note.reason });
        break;
      case 'wroteOff':
        log.warn('queries-written-off', {
          ...{ shard: note.shard, what: note.what, queries: note.queries },
          message: 'they are not counted any more; if they still run, limits are exceeded by them',
        });
        break;
      case 'overclaim':
        log.warn('overclaim', { shard: note.shard, ...note.life });
        break;
    }
  }
  for (const { event, fields, shards: list } of shards.values()) log.info(event, { ...fields, shards: list.join(' ') });
}
