import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { TestLog } from '@tutti/service/testing';
import type { RemoteFile } from '../exchange-client.js';
import type { ExchangeSession } from '../exchange-session.js';
import { ExchangeStore } from '../exchange-store.js';

export const KEY = 'a key that nobody guesses';

/** Stores of one test, each below a directory of its own. */
export class TestStores {
  readonly root = mkdtempSync(join(tmpdir(), 'tutti-exchange-test-'));
  private readonly stores: ExchangeStore[] = [];

  open(limitBytes = 2 ** 30): ExchangeStore {
    const store = ExchangeStore.open({ directory: this.root, limitBytes, log: new TestLog() });
    this.stores.push(store);
    return store;
  }

  /** Closes them, and says what they left behind. */
  async close(): Promise<string[]> {
    for (const store of this.stores) await store.close();
    const left = readdirSync(this.root);
    rmSync(this.root, { recursive: true });
    return left;
  }
}

export const begin = (store: ExchangeStore, taskId: string): ExchangeSession =>
  store.begin({ taskId, queryId: 'q', key: KEY });

/** Lets a fragment write one file, and gives the way to it. */
export async function write(session: ExchangeSession, fragmentId: string, content: Uint8Array): Promise<RemoteFile> {
  const name = '__p=0/data_0.parquet';
  const files = session.beginFragment(fragmentId);
  await mkdir(dirname(join(files.path, name)), { recursive: true });
  await writeFile(join(files.path, name), content);
  const [held] = files.keep([{ name, rows: 1, partition: 0 }]);
  if (held === undefined) throw new Error('one file was kept');
  return { taskId: session.taskId, edgeAddress: 'producer:8080', key: KEY, name: held.name, bytes: held.bytes };
}

/** Bytes that differ from place to place. */
export const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
