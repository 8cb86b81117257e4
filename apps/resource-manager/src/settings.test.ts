import { ConfigError, loadConfig } from '@tutti/service';
import { relations, settings, warnings } from './settings.js';

const load = (...argv: string[]) => loadConfig(settings, { argv, env: {}, relations, program: 'resource-manager' });

describe('settings', () => {
  it('have sound defaults', () => {
    expect(load()).toMatchObject({
      heartbeat: { interval: 1_000 },
      nodes: { suspectAfter: 2_500, lease: 10_000 },
      resourceGroups: { file: '' },
      usage: { forgetAfter: 3_500 },
      queries: { expireAfter: 10_000, completedKept: 600_000, completedMax: 1_000 },
      seats: { ids: [], version: 1, firstStart: false },
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

  const problemsOf = (...argv: string[]): readonly string[] => {
    try {
      load(...argv);
      return [];
    } catch (error) {
      return (error as ConfigError).problems;
    }
  };

  it('refuse seats that decide nothing', () => {
    expect(problemsOf('--seats-ids', 'r1,r2,r1')).toEqual(['seats.ids must name nobody twice']);
    expect(problemsOf('--seats-ids', 'a,b,c,d,e,f,g,h,i,j')).toEqual([
      'seats.ids must name at most 9 resource managers',
    ]);
    expect(problemsOf('--seats-version', '0')).toEqual(['seats.version must be at least 1']);
  });

  it('warn of seats that are hardly meant', () => {
    const warned = (...argv: string[]): string => warnings(load(...argv)).join('\n');
    expect(warned('--seats-ids', 'r1,r2,r3', '--node-id', 'r1')).toBe('');
    expect(warned()).toBe('');
    expect(warned('--seats-ids', 'r2,r3,r4', '--node-id', 'r1')).toBe(
      'seats.ids (r2, r3, r4) does not name this one, r1: it deals nothing, it only looks on',
    );
    expect(warned('--seats-ids', 'r1,r2,r3')).toMatch(
      /does not name this one, resource-manager-.+ \(node.id is not set\)/,
    );
    expect(warned('--seats-ids', 'r1,r2,r3,r4', '--node-id', 'r1')).toBe(
      'seats.ids names 4 resource managers: that bears the loss of as many as 3 do. Name 1, 3 or 5',
    );
  });

  it('ask for the seats as soon as there is more than one resource manager: each would deal everything', () => {
    const addresses = ['--resource-managers-addresses', 'r1:9090,r2:9090'];
    expect(problemsOf(...addresses)).toEqual([
      'seats.ids must name the resource managers when resourceManagers.addresses may be several: by their node.id, the same everywhere',
    ]);
    expect(problemsOf(...addresses, '--seats-ids', 'r1,r2')).toEqual([]);
    expect(problemsOf('--resource-managers-addresses', 'r1:9090')).toEqual([]);
    expect(problemsOf('--resource-managers-addresses', 'dns:resource-managers:9090')).toHaveLength(1);
  });
});
