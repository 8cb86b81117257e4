// How the owner's ledger is written for the seats that keep it: one entry per holding, per fence and per worker. Coded
// by hand, since core code has no encoders at hand, and small, since a shard may have tens of thousands of entries.
import type { CoordinatorLife } from '../usage-ledger.js';
import type { TaskStamp } from './lease-messages.js';

/** An entry that the seats keep. Without a payload it is taken out. */
export interface LedgerEntry {
  readonly key: string;
  readonly seq: number;
  readonly payload: Uint8Array | undefined;
}

export type LedgerItem =
  | { readonly kind: 'holding'; readonly life: CoordinatorLife; readonly group: string; readonly held: number }
  | { readonly kind: 'fence'; readonly stamp: TaskStamp }
  | { readonly kind: 'worker'; readonly workerId: string; readonly incarnation: number };

export const holdingKey = ({ coordinatorId, incarnation }: CoordinatorLife, group: string): string =>
  `h\n${coordinatorId}\n${incarnation}\n${group}`;
export const fenceKey = (coordinatorId: string): string => `f\n${coordinatorId}`;
export const workerKey = (workerId: string): string => `w\n${workerId}`;

/** Reads an entry; undefined when it is none that this version writes. */
export function ledgerItem(key: string, payload: Uint8Array): LedgerItem | undefined {
  const [kind, id = '', incarnation = ''] = key.split('\n', 3);
  const numbers = numbersOf(payload);
  const [first, second, third] = numbers;
  if (first === undefined) return undefined;
  switch (kind) {
    case 'h': {
      const group = key.slice(`h\n${id}\n${incarnation}\n`.length);
      const life = { coordinatorId: id, incarnation: Number(incarnation) };
      return Number.isSafeInteger(life.incarnation) ? { kind: 'holding', life, group, held: first } : undefined;
    }
    case 'f':
      if (second === undefined || third === undefined) return undefined;
      return { kind: 'fence', stamp: { coordinatorId: id, incarnation: first, epoch: second, seq: third } };
    case 'w':
      return { kind: 'worker', workerId: id, incarnation: first };
    default:
      return undefined;
  }
}

export const holdingPayload = (held: number): Uint8Array => bytesOf([held]);
export const fencePayload = ({ incarnation, epoch, seq }: TaskStamp): Uint8Array => bytesOf([incarnation, epoch, seq]);
export const workerPayload = (incarnation: number): Uint8Array => bytesOf([incarnation]);

/** Seven bits to a byte, the lowest first. */
function bytesOf(numbers: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (const number of numbers) {
    let rest = number;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128));
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function numbersOf(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let [number, factor] = [0, 1];
  for (const byte of bytes) {
    number += (byte % 128) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    numbers.push(number);
    [number, factor] = [0, 1];
  }
  return numbers;
}
