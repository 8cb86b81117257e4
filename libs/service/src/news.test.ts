import { FakeClock } from '@tutti/base/testing';
import { News } from './news.js';

describe('News', () => {
  const never = new AbortController().signal;

  it('wakes once for many changes, and at once whoever comes after the edition', async () => {
    const clock = new FakeClock();
    const news = new News(clock, 20);
    const seen = news.edition;
    let woken = 0;
    void news.next(seen, 1_000, never).then(() => woken++);
    news.tell();
    news.tell();
    await clock.advance(19);
    expect(woken).toBe(0);
    await clock.advance(1);
    expect(woken).toBe(1);
    expect(news.edition).toBe(seen + 1);
    await news.next(seen, 1_000, never);
  });

  it('stops waiting when the time is over, or the signal aborts', async () => {
    const clock = new FakeClock();
    const news = new News(clock, 20);
    const stop = new AbortController();
    const ended: string[] = [];
    void news.next(news.edition, 50, never).then(() => ended.push('time'));
    void news.next(news.edition, 1_000, stop.signal).then(() => ended.push('signal'));
    await clock.advance(50);
    expect(ended).toEqual(['time']);
    stop.abort();
    await clock.advance(0);
    expect(ended).toEqual(['time', 'signal']);
  });
});
