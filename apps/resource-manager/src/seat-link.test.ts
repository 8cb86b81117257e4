// What a seat says to another one, over a stream that breaks, a peer that moves, and nobody there.
import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import type { SeatMessage } from '@tutti/resource-groups';
import { News } from '@tutti/service';
import { TestLog } from '@tutti/service/testing';
import { SeatLink } from './seat-link.js';

const hello = (request: number): SeatMessage => ({
  ...{ kind: 'hold', from: { seat: nodeId('r1'), incarnation: 1 }, version: 1, request, items: [] },
});

/** The link of r1 to r2, and a peer in our hands. */
class Scene {
  readonly clock = new FakeClock();
  readonly log = new TestLog();
  readonly heard: string[] = [];
  readonly dropped: string[] = [];
  isUp = true;
  /** The peer takes nothing. */
  isStuck = false;
  private readonly stop = new AbortController();
  private readonly news = new News(this.clock, 1);
  private breakStream: (error: Error) => void = () => undefined;
  readonly link = new SeatLink({
    seat: nodeId('r2'),
    addressOf: () => this.address,
    news: this.news,
    open: (address, messages, signal) => this.listen(address, messages, signal),
    dropped: { inc: (labels) => void this.dropped.push(JSON.stringify(labels)) },
    clock: this.clock,
    random: seededRandom(1),
    log: this.log,
  });
  private readonly running: Promise<void>;

  constructor(private address?: string) {
    this.running = this.link.run(this.stop.signal);
  }

  breakNow(): void {
    this.breakStream(new Error('connection reset'));
  }

  async moveTo(address: string): Promise<void> {
    this.address = address;
    this.news.tell();
    await this.clock.advance(2);
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.running;
  }

  private async listen(address: string, messages: AsyncIterable<SeatMessage>, signal: AbortSignal): Promise<void> {
    this.heard.push(`opened ${address}`);
    if (!this.isUp) throw new Error('connection refused');
    const broken = new Promise<never>((_, reject) => {
      this.breakStream = reject;
      signal.addEventListener('abort', () => reject(new Error('canceled')), { once: true });
    });
    const reading = (async () => {
      if (this.isStuck) await broken;
      for await (const { request } of messages) this.heard.push(`${address} hears ${request}`);
    })();
    await Promise.race([reading, broken]);
  }
}

it('messages leave in order, on one stream', async () => {
  const scene = new Scene('a');
  await scene.clock.advance(1);
  for (const request of [1, 2, 3]) scene.link.send(hello(request));
  await scene.clock.advance(1);
  expect(scene.heard).toEqual(['opened a', 'a hears 1', 'a hears 2', 'a hears 3']);
  expect(scene.link.isEmpty).toBe(true);
  await scene.end();
});

it('what is said before the seat was ever seen is said when it is, unless it is old news', async () => {
  const scene = new Scene();
  scene.link.send(hello(1));
  await scene.clock.advance(1_500);
  scene.link.send(hello(2));
  await scene.moveTo('b');
  expect(scene.heard.slice(-2)).toEqual(['opened b', 'b hears 2']);
  expect(scene.dropped).toEqual(['{"reason":"late"}']);
  await scene.end();
});

it('a stream that breaks is opened again within a second, and the loss is told once', async () => {
  const scene = new Scene('a');
  await scene.clock.advance(2_000);
  scene.isUp = false;
  scene.breakNow();
  await scene.clock.advance(10_000);
  const attempts = scene.heard.length - 1;
  expect(attempts).toBeGreaterThan(10);
  expect(attempts).toBeLessThan(30);
  scene.isUp = true;
  scene.link.send(hello(9));
  await scene.clock.advance(1_000);
  expect(scene.heard.at(-1)).toBe('a hears 9');
  expect(scene.log.events()).toEqual(['seat-lost', 'seat-unreachable']);
  await scene.end();
});

it('a seat that comes back elsewhere is talked to there at once', async () => {
  const scene = new Scene('a');
  await scene.clock.advance(1);
  await scene.moveTo('b');
  scene.link.send(hello(1));
  await scene.clock.advance(1);
  expect(scene.heard).toEqual(['opened a', 'opened b', 'b hears 1']);
  expect(scene.log.events()).toEqual([]);
  await scene.end();
});

it('before a peer that reads nothing at most a thousand messages wait: the oldest give way', async () => {
  const scene = new Scene('a');
  scene.isStuck = true;
  await scene.clock.advance(1);
  for (let request = 1; request <= 1_200; request++) scene.link.send(hello(request));
  expect(scene.dropped.length).toBe(200);
  scene.isStuck = false;
  scene.breakNow();
  await scene.clock.advance(100);
  expect(scene.heard.filter((line) => line.includes('hears')).length).toBe(1_000);
  expect(scene.heard.at(-1)).toBe('a hears 1200');
  await scene.end();
});
