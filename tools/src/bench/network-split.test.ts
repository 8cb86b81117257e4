import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { NodePlace } from '../local-cluster.js';
import { NetworkSplit, whyNoNamespaces } from './network-split.js';

const LISTEN = `require('net').createServer((s) => s.end()).listen(7000, '0.0.0.0', () => console.log('listens'))`;
const connect = (host: string) =>
  `const s = require('net').connect({ host: '${host}', port: 7000, timeout: 500 });` +
  `s.on('connect', () => process.exit(0)).on('error', () => process.exit(1)).on('timeout', () => process.exit(1))`;

const reaches = ({ launcher: [program = '', ...args] }: NodePlace, host: string): boolean =>
  spawnSync(program, [...args, process.execPath, '-e', connect(host)], { timeout: 20_000 }).status === 0;

describe('a network that splits', () => {
  it('cuts some nodes off from the others, but not from us, until it is healed; or says why it cannot be made', async () => {
    const reason = whyNoNamespaces();
    if (reason !== undefined) return expect(reason).toMatch(/root|Linux|linux|ip /);
    const network = NetworkSplit.create(['a', 'b', 'c']);
    const [a, b, c] = ['a', 'b', 'c'].map(network.placeOf) as [NodePlace, NodePlace, NodePlace];
    const [program = '', ...args] = b.launcher;
    const server = spawn(program, [...args, process.execPath, '-e', LISTEN]);
    try {
      await once(server.stdout, 'data');
      expect(reaches(a, b.host)).toBe(true);
      network.cut(['b', 'c']);
      expect(reaches(a, b.host)).toBe(false);
      expect(reaches(c, b.host)).toBe(true);
      expect(reaches({ ...a, launcher: ['env'] }, b.reachHost)).toBe(true);
      network.heal();
      expect(reaches(a, b.host)).toBe(true);
    } finally {
      server.kill();
      network.close();
    }
    expect(spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout).not.toContain(a.launcher.at(-1));
  }, 60_000);
});
