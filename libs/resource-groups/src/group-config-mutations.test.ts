// 500 files that differ from right ones by a few bytes, tokens, values or pieces: problems or a configuration, and never
// an exception or a long wait.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Random, randomInt, seededRandom } from '@tutti/base';
import { parseGroupConfig } from './group-config-decoder.js';
import { selectGroup } from './group-selector.js';
import { group } from './testing/parsed.js';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const presto = readFileSync(join(import.meta.dirname, 'testdata/presto-example.json'), 'utf8');
const own = JSON.stringify({
  rootGroups: [
    group('global', {
      ...{ hardConcurrencyLimit: 20, softConcurrencyLimit: 10, schedulingPolicy: 'weighted_fair', queueTimeout: '5m' },
      ...{ softCpuLimit: '1h', hardCpuLimit: '2h', queryPriority: { min: 1, max: 9 }, admissionMode: 'gated' },
      perQueryLimits: { executionTimeLimit: '1h', totalMemoryLimit: '1GB' },
      subGroups: [
        group('etl', { schedulingWeight: 3, guarantee: 1 }),
        group('u-${USER}', { schedulingWeight: 1, maxGroups: 5, subGroups: [group('${team}')] }),
      ],
    }),
  ],
  selectors: [
    { user: '(?<team>[a-z]+)-.*', source: '(x|y)+', group: 'global.u-${USER}.${team}' },
    { selectorResourceEstimate: { cpuTime: { min: '1s', max: '2h' } }, clientTags: ['a'], group: 'global.etl' },
  ],
  cpuQuotaPeriod: '1h',
});

const TOKENS = ['{', '}', '[', ']', '"', ',', ':', 'null', '-1', '1e999', '"name"', '\\', '\u0000', '__proto__', '9'];
const PATTERNS = [
  '(',
  '(?i)',
  '(a+)+$',
  '[z-a]',
  '\\1',
  '(?=x)',
  'a{999}{999}',
  '((((((((((a{9}){9}){9}){9})))))))',
  '\\p{L}+',
];
const VALUES: readonly Json[] = [
  ...[null, true, -1, 0, 1.5, 1e300, 2_147_483_648, '', '\u0000', '1h', '80%', '1e9GB', '${', '${}', '${USER}', 'a.b'],
  ...[[], {}, [[]], { name: 'x' }, 'x'.repeat(5_000), ...PATTERNS],
];
const KEYS = [
  'name',
  'subGroups',
  'maxRunning',
  'hardConcurrencyLimit',
  'user',
  'group',
  'constructor',
  '__proto__',
  '',
];

const pick = <T>(random: Random, values: readonly T[]): T => values[randomInt(random, values.length)] as T;

function withBytesChanged(text: string, random: Random): string {
  const at = randomInt(random, text.length);
  const letter = String.fromCharCode(randomInt(random, 256));
  return text.slice(0, at) + letter + text.slice(at + randomInt(random, 3));
}

function withTokensChanged(text: string, random: Random): string {
  const at = randomInt(random, text.length);
  return text.slice(0, at) + pick(random, TOKENS) + text.slice(at + randomInt(random, 6));
}

/** Another value or key somewhere in the tree, or a piece of it doubled, dropped or moved elsewhere. */
function withStructureChanged(text: string, random: Random): string {
  const root = JSON.parse(text) as Json;
  const holders: (Json[] | { [key: string]: Json })[] = [];
  const add = (json: Json): void => {
    if (typeof json !== 'object' || json === null) return;
    holders.push(json);
    Object.values(json).forEach(add);
  };
  add(root);
  const holder = pick(random, holders);
  const other = structuredClone(pick(random, holders));
  const value = pick(random, [...VALUES, other]);
  if (Array.isArray(holder)) {
    const at = randomInt(random, holder.length + 1);
    holder.splice(at, randomInt(random, 2), ...(randomInt(random, 2) === 0 ? [value] : []));
  } else {
    const keys = Object.keys(holder);
    const key = pick(random, [...keys, ...keys, ...KEYS]);
    if (randomInt(random, 3) === 0) delete holder[key];
    else Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return JSON.stringify(root);
}

const changes = [withBytesChanged, withTokensChanged, withStructureChanged, withStructureChanged];

it('500 changed files are read or refused, each at once', () => {
  let refused = 0;
  const times: number[] = [];
  for (let seed = 1; seed <= 500; seed++) {
    const random = seededRandom(seed);
    const change = pick(random, changes);
    let text = pick(random, [presto, own]);
    for (let count = 1 + randomInt(random, 3); count > 0; count--) {
      // What is no JSON any more has no structure to change.
      text = (change === withStructureChanged ? change : pick(random, changes.slice(0, 2)))(text, random);
    }
    const started = performance.now();
    const parsed = parseGroupConfig(text);
    times.push(performance.now() - started);
    if ('problems' in parsed) {
      refused++;
      expect(parsed.problems.length).toBeGreaterThan(0);
      for (const problem of parsed.problems) expect(problem).toMatch(/^line \d+:\d+: .|^and \d+ more problems$/);
    } else {
      selectGroup(parsed.ok, { user: 'etl-ann', source: 'xy', clientTags: ['a'] });
    }
  }
  expect(refused).toBeGreaterThan(300);
  expect(refused).toBeLessThan(500);
  // One in a hundred may meet a pause of the machine.
  expect(times.sort((a, b) => a - b)[494]).toBeLessThan(50);
});
