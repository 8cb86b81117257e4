import type { News } from '@tutti/service';
import type { NodeTable } from './core/node-table.js';

/** A NodeTable whose readers are woken when it changes. Everything that changes the table goes through `update`. */
export class LiveNodeTable {
  constructor(
    private readonly table: NodeTable,
    readonly news: News,
  ) {}

  /** For reading only. */
  get nodes(): Pick<NodeTable, 'nodes' | 'get' | 'missing' | 'newerThan' | 'witnessed' | 'revision'> {
    return this.table;
  }

  update<T>(change: (table: NodeTable) => T): T {
    const before = this.table.revision;
    const result = change(this.table);
    if (this.table.revision !== before) this.news.tell();
    return result;
  }
}
