import type { Random } from './random.js';
import { randomInt } from './random.js';

/** Names a process of the cluster; stable across restarts, never an address. */
export type NodeId = string & { readonly __brand: 'NodeId' };
/** Names a query; unique in the cluster. */
export type QueryId = string & { readonly __brand: 'QueryId' };
/** Names one attempt of one task: query id, task number, attempt number, with dots between. */
export type TaskId = string & { readonly __brand: 'TaskId' };

export const nodeId = (text: string): NodeId => text as NodeId;
export const queryId = (text: string): QueryId => text as QueryId;

/** The id of an attempt of a task of a query. */
export const taskId = (query: QueryId, task: number, attempt: number): TaskId =>
  `${query}.${task}.${attempt}` as TaskId;

const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Five random letters and digits that mark all query ids of one life of a coordinator. */
export const newQueryIdSuffix = (random: Random): string =>
  Array.from({ length: 5 }, () => ALPHABET.charAt(randomInt(random, ALPHABET.length))).join('');

const QUERY_ID = /^\d{8}_\d{6}_\d{5,}_([a-z0-9]{5})$/;

/** The suffix of a query id, which names its coordinator; undefined when `text` is no query id. */
export const queryIdSuffixOf = (text: string): string | undefined => QUERY_ID.exec(text)?.[1];

/** Makes query ids like Presto's: UTC date and time, a counter that starts anew each day, the coordinator's suffix. */
export class QueryIdGenerator {
  private day = '';
  private counter = 0;

  constructor(private readonly suffix: string) {}

  next(wallMs: number): QueryId {
    const [date = '', time = ''] = new Date(wallMs).toISOString().split('T');
    const day = date.replaceAll('-', '');
    if (day !== this.day) {
      this.day = day;
      this.counter = 0;
    }
    const number = String(this.counter++).padStart(5, '0');
    return queryId(`${day}_${time.slice(0, 8).replaceAll(':', '')}_${number}_${this.suffix}`);
  }
}
