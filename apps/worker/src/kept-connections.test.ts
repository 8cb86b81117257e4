import { FakeClock } from '@tutti/base/testing';
import type { ClosableTransport } from '@tutti/service';
import { KeptConnections } from './kept-connections.js';

let clock: FakeClock;
let events: string[];
let connections: KeptConnections;

beforeEach(() => {
  clock = new FakeClock();
  events = [];
  const create = (address: string): ClosableTransport => {
    events.push(`open ${address}`);
    const unasked = () => Promise.reject(new Error('nothing is asked here'));
    return { unary: unasked, stream: unasked, close: () => void events.push(`close ${address}`) };
  };
  connections = new KeptConnections({ create, keptMs: 1_000, keptMax: 2, clock });
});

test('C1: sessions share a connection, and the one that ends first does not break it', () => {
  const [first, second] = [connections.connect('a'), connections.connect('a')];
  first.close();
  first.close();
  connections.close();
  expect(events).toEqual(['open a']);
  second.close();
  expect(events).toEqual(['open a', 'close a']);
});

test('C2: the next session finds the connection of the last one open; it is closed when no session comes', async () => {
  connections.connect('a').close();
  await clock.advance(999);
  const next = connections.connect('a');
  await clock.advance(5_000);
  expect(events).toEqual(['open a']);
  next.close();
  await clock.advance(999);
  expect(events).toEqual(['open a']);
  await clock.advance(1);
  expect(events).toEqual(['open a', 'close a']);
  connections.connect('a');
  expect(events.at(-1)).toBe('open a');
});

test('C2: of too many that nobody uses the oldest is closed', () => {
  for (const address of ['a', 'b', 'a', 'c']) connections.connect(address).close();
  expect(events).toEqual(['open a', 'open b', 'open c', 'close b']);
});

test('C3: what is closed keeps nothing', () => {
  const used = connections.connect('a');
  connections.connect('b').close();
  connections.close();
  expect(events).toEqual(['open a', 'open b', 'close b']);
  used.close();
  expect(events.at(-1)).toBe('close a');
});
