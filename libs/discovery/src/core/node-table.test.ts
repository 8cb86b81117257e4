import { type Instant, instant, nodeId } from '@tutti/base';
import { replayTranscript } from '@tutti/base/testing';
import * as fc from 'fast-check';
import type { AnnouncedState, NodeRecord, NodeRole, WitnessedRecord } from './node-record.js';
import { NodeTable } from './node-table.js';

const ROLES: Record<string, NodeRole> = { c: 'coordinator', w: 'worker', r: 'resourceManager' };

/** c1 is a coordinator, w1 a worker, r1 a resource manager. */
function record(id: string, overrides: Partial<NodeRecord> = {}): NodeRecord {
  const role = ROLES[id.charAt(0)] ?? 'worker';
  const addresses = { clusterAddress: `${id}:9090`, edgeAddress: `${id}:8080` };
  const plain = { incarnation: 1, version: 1, state: 'ACTIVE' as AnnouncedState, querySuffix: '', programVersion: '' };
  return { nodeId: nodeId(id), role, ...plain, ...addresses, ...overrides };
}

const OPTIONS = { suspectAfterMs: 2_500, leaseMs: 10_000 };

/** Replays one command of a transcript; a command is one line: a verb, a node and key=value words. */
function interpreter() {
  const table = new NodeTable(OPTIONS, instant(0));
  let now = 0;
  const at = (): Instant => instant(now);
  const show = () =>
    [
      ...table
        .nodes(at())
        .map((node) => `${node.nodeId} ${node.state} ${node.incarnation}.${node.version} ${node.ageMs}ms`),
      table.isSynced(at()) ? 'synced' : `waits for: ${table.missing().join(' ') || 'anybody'}`,
    ].join('\n');

  return (command: string): string => {
    const [verb = '', ...words] = command.split(' ');
    const id = words.find((word) => !word.includes('=')) ?? '';
    const given = Object.fromEntries(words.filter((word) => word.includes('=')).map((word) => word.split('=')));
    const { i = '1', v = '1', state = 'ACTIVE', known, age = '0', peer } = given as Record<string, string>;
    const said = record(id, { incarnation: Number(i), version: Number(v), state: state as AnnouncedState });
    const ids = (known ?? '').split(',').filter(Boolean).map(nodeId);
    switch (verb) {
      case 'announce':
        return table.announced(said, ids, at()) ? show() : `late\n${show()}`;
      case 'report':
        return table.reported(said.nodeId, said.incarnation, said.role, at()) ? show() : `late\n${show()}`;
      case 'depart':
        return table.departed(said, at()) ? show() : `late\n${show()}`;
      case 'replicate':
        table.replicated(id === '' ? [] : [{ record: said, ageMs: Number(age) }], peer === 'synced', at());
        return show();
      case 'pass': {
        // The sweep runs every 200 ms.
        const end = now + Number(id);
        while (now < end) table.tick(instant((now = Math.min(end, now + 200))));
        return show();
      }
      case 'freeze':
        now += Number(id);
        table.tick(at());
        return show();
      case 'witnessed':
        return table
          .witnessed(at())
          .map(({ record: { nodeId: name, state: said }, ageMs }) => `${name} ${said} ${ageMs}ms`)
          .join('\n');
      default:
        throw new Error(`no such command: ${command}`);
    }
  };
}

describe('NodeTable', () => {
  it.each(['membership', 'synced'])('%s: the transcript tells', (name) => {
    const { expected, actual } = replayTranscript(`${__dirname}/testdata/${name}.txt`, interpreter());
    expect(actual).toBe(expected);
  });

  const anyWitnessed: fc.Arbitrary<WitnessedRecord> = fc
    .record({
      id: fc.constantFrom('c1', 'w1', 'w2'),
      incarnation: fc.integer({ min: 1, max: 3 }),
      version: fc.integer({ min: 1, max: 3 }),
      state: fc.constantFrom<AnnouncedState>('ACTIVE', 'DRAINING', 'GONE'),
      ageMs: fc.integer({ min: 0, max: 12_000 }),
    })
    // A version of a record has one content.
    .map(({ id, incarnation, version, state, ageMs }) => ({
      record: record(id, {
        incarnation,
        version,
        state: state === 'GONE' ? state : version === 2 ? 'DRAINING' : 'ACTIVE',
      }),
      ageMs,
    }));

  const after = (batches: readonly (readonly WitnessedRecord[])[]) => {
    const table = new NodeTable(OPTIONS, instant(0));
    for (const batch of batches) table.replicated(batch, false, instant(100));
    // Tombstones say only that a node is gone, not in which version it went.
    return table.nodes(instant(100)).map((node) => (node.state === 'GONE' ? { ...node, version: 0 } : node));
  };

  it('N1: knows the same whatever the order and repetition in which records arrive', () => {
    fc.assert(
      fc.property(fc.array(anyWitnessed, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (all, picks) => {
        const shuffled = [...all].sort(() => ((picks.next().value ?? 0) % 2 === 0 ? 1 : -1));
        expect(after([shuffled, all])).toEqual(after([all]));
      }),
    );
  });

  it('N3: a departed node stays departed, whatever else of that life arrives later', () => {
    fc.assert(
      fc.property(fc.array(anyWitnessed, { maxLength: 12 }), (late) => {
        const table = new NodeTable(OPTIONS, instant(0));
        table.departed(record('w1', { incarnation: 3 }), instant(0));
        for (const { record: one } of late) table.announced(one, [], instant(1));
        table.replicated(late, true, instant(2));
        table.reported(nodeId('w1'), 3, 'worker', instant(3));
        expect(table.get(nodeId('w1'), instant(4))?.state).toBe('GONE');
      }),
    );
  });

  it('tells readers of changes, and not of mere signs of life', () => {
    const table = new NodeTable(OPTIONS, instant(0));
    const seen = [table.revision];
    const step = (act: () => void) => {
      act();
      seen.push(table.revision);
    };
    step(() => table.announced(record('w1'), [], instant(10)));
    step(() => table.announced(record('w1'), [], instant(20)));
    step(() => table.reported(nodeId('w1'), 1, 'worker', instant(30)));
    step(() => table.announced(record('w1', { version: 2, state: 'DRAINING' }), [], instant(40)));
    expect(seen.map((revision, index) => revision > (seen[index - 1] ?? 0))).toEqual([false, true, false, false, true]);
  });
});
