import { ConfigError, loadConfig } from '@tutti/service';
import { relations, settings } from './settings.js';

const load = (...argv: string[]) => loadConfig(settings, { argv, env: {}, relations, program: 'resource-manager' });

describe('settings', () => {
  it('have sound defaults', () => {
    expect(load()).toMatchObject({
      heartbeat: { interval: 1_000 },
      nodes: { suspectAfter: 2_500, lease: 10_000 },
      resourceGroups: { file: '' },
      usage: { forgetAfter: 3_500 },
      queries: { expireAfter: 10_000, completedKept: 600_000, completedMax: 1_000 },
    });
  });

  it('refuse a lease that two lost reports would end, and name every wrong relation', () => {
    const wrong = () => load('--heartbeat-interval', '5s', '--usage-forget-after', '1s');
    expect(wrong).toThrow(ConfigError);
    try {
      wrong();
    } catch (error) {
      const { problems } = error as ConfigError;
      expect(problems).toContain('nodes.lease must be at least three times heartbeat.interval');
      expect(problems).toContain('nodes.suspectAfter must be at least twice heartbeat.interval');
      expect(problems).toContain('usage.forgetAfter must be at least nodes.suspectAfter');
    }
  });
});
