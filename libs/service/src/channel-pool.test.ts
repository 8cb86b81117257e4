import { memoryTransport } from './testing/index.js';
import { ChannelPool } from './channel-pool.js';

describe('ChannelPool', () => {
  function setUp() {
    const log: string[] = [];
    let count = 0;
    const pool = new ChannelPool((address) => {
      const name = `${address}#${++count}`;
      log.push(`open ${name}`);
      return { ...memoryTransport(() => undefined), close: () => log.push(`close ${name}`) };
    });
    return { pool, log };
  }

  it('shares one channel per address, and closes it after its last user', () => {
    const { pool, log } = setUp();
    const [first, second] = [pool.connect('a'), pool.connect('a')];
    pool.connect('b');
    expect(log).toEqual(['open a#1', 'open b#2']);
    first.close();
    first.close();
    expect(log).toHaveLength(2);
    second.close();
    expect(log.at(-1)).toBe('close a#1');
  });

  it('gives a channel that somebody gave up to nobody else', () => {
    const { pool, log } = setUp();
    const [first, second] = [pool.connect('a'), pool.connect('a')];
    first.close();
    const third = pool.connect('a');
    expect(log).toEqual(['open a#1', 'open a#2']);
    second.close();
    expect(log.at(-1)).toBe('close a#1');
    third.close();
    expect(log.at(-1)).toBe('close a#2');
  });
});
