// One loop per address of a set that changes. A peer that is slow, dead or gone delays no other.
import { setMaxListeners } from 'node:events';
import { type Clock, type Random, sleep } from '@tutti/base';
import type { AddressWatcher } from './addresses.js';
import { readRpcError } from './errors.js';
import { aborted } from './lifecycle.js';
import type { Log } from './log.js';

/** What a connection's life ended with: try again, or leave this address alone as long as it stays in the set. */
export type ConnectionEnd = 'again' | 'stayAway';

export interface EachAddressOptions {
  readonly addresses: AddressWatcher;
  /** What the connections are for, in logs. */
  readonly purpose: string;
  /**
   * The life of one connection: resolves or throws when it is over. Calls `connected` once the peer has answered: the
   * next wait is short again.
   */
  readonly run: (address: string, signal: AbortSignal, connected: () => void) => Promise<ConnectionEnd>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 1_000;

/** Keeps one connection to each address until `signal` aborts; resolves when all of them have ended. */
export async function eachAddress(options: EachAddressOptions, signal: AbortSignal): Promise<void> {
  // Each loop listens; ten, after which Node suspects a leak, are few.
  setMaxListeners(0, signal);
  const stops = new Map<string, AbortController>();
  const running = new Set<Promise<void>>();
  options.addresses.onChange((addresses) => {
    for (const [address, stop] of stops) {
      if (addresses.has(address)) continue;
      stop.abort();
      stops.delete(address);
    }
    for (const address of addresses) {
      if (stops.has(address) || signal.aborted) continue;
      const stop = new AbortController();
      stops.set(address, stop);
      const loop = keepConnected(options, address, AbortSignal.any([signal, stop.signal]));
      running.add(loop);
      void loop.finally(() => running.delete(loop));
    }
  });
  await aborted(signal);
  await Promise.all(running);
}

async function keepConnected(options: EachAddressOptions, address: string, signal: AbortSignal): Promise<void> {
  const { clock, random, run } = options;
  const log = options.log.child({ address, purpose: options.purpose });
  let failures = 0;
  let isConnected = false;
  const connected = () => {
    if (!isConnected) log.debug('peer-connected');
    isConnected = true;
    failures = 0;
  };
  while (!signal.aborted) {
    try {
      if ((await run(address, signal, connected)) === 'stayAway') return;
    } catch (error) {
      if (signal.aborted) return;
      const { message, reason } = readRpcError(error);
      if (isConnected) log.warn('peer-lost', { message, reason });
      else if (failures === FAILURES_BEFORE_TELLING) log.warn('peer-unreachable', { message, reason });
    }
    isConnected = false;
    const waitMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** failures);
    failures++;
    await sleep(clock, waitMs * (0.5 + random() / 2), signal);
  }
}

/** The first failures are usual while a cluster starts. */
const FAILURES_BEFORE_TELLING = 5;
