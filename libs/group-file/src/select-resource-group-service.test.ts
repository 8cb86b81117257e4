import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { SelectResourceGroupRequestSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { parseGroupConfig } from '@tutti/resource-groups';
import { readRpcError } from '@tutti/service';
import { selectResourceGroup } from './select-resource-group-service.js';

const group = (name: string, more: object = {}) => ({ name, hardConcurrencyLimit: 1, maxQueued: 1, ...more });
const parsed = parseGroupConfig(
  JSON.stringify({
    rootGroups: [group('admin'), group('global', { subGroups: [group('${USER}'), group('${SOURCE}')] })],
    selectors: [
      { user: 'root', group: 'admin' },
      { queryType: 'EXPLAIN', group: 'global.${SOURCE}' },
      { schema: 'sales', clientTags: ['a'], principal: 'p', clientInfo: 'i', group: 'admin' },
      {
        selectorResourceEstimate: { cpuTime: { min: '2s' }, executionTime: { max: '1m' }, peakMemory: { min: '1kB' } },
        group: 'admin',
      },
      { user: '[^x].*', group: 'global.${USER}' },
    ],
  }),
);
if ('problems' in parsed) throw new Error(parsed.problems.join('\n'));
const groups = { config: parsed.ok, version: 'v1' };
const ask = (request: MessageInitShape<typeof SelectResourceGroupRequestSchema>) =>
  selectResourceGroup(create(SelectResourceGroupRequestSchema, request), groups);

it('names the group, the selector counted from 1, and the reasons', () => {
  expect(ask({ user: 'j.doe', schema: 'web' })).toEqual({
    ...{ group: 'global."j.doe"', template: 'global.${USER}', selector: 5, configVersion: 'v1' },
    reasons: [
      'selector 1 (group admin): user "j.doe" does not match root',
      'selector 2 (group global.${SOURCE}): the query type is SELECT, not EXPLAIN',
      'selector 3 (group admin): principal "" does not match p',
      'selector 4 (group admin): the query has no estimate of executionTime',
      'selector 5 (group global.${USER}) matches with USER="j.doe"',
    ],
  });
});

it('takes all that a session can say; nobody is anonymous', () => {
  expect(ask({}).group).toBe('global.anonymous');
  expect(ask({ queryType: 'explain', source: 'cli' }).group).toBe('global.cli');
  const session = { schema: 'SALES', clientTags: ['a', 'b'], principal: 'p', clientInfo: 'i' };
  expect(ask(session)).toMatchObject({ group: 'admin', selector: 3 });
  const estimates = { cpuTime: durationFromMs(2_000), executionTime: durationFromMs(60_000), peakMemoryBytes: 1024n };
  expect(ask({ schema: 'web', estimates })).toMatchObject({ group: 'admin', selector: 4 });
  expect(ask({ schema: 'web', estimates: { ...estimates, peakMemoryBytes: 0n } }).selector).toBe(5);
});

it('says why there is no group', () => {
  expect(ask({ user: 'x', schema: 'web' })).toMatchObject({
    ...{ selector: 0, configVersion: 'v1' },
    reasons: expect.arrayContaining(['no selector matches, of 5: the query is refused']),
  });
  const refused = ask({ user: 'ann', queryType: 'EXPLAIN' });
  expect(refused.group).toBeUndefined();
  expect(refused).toMatchObject({ selector: 2 });
  expect(refused.reasons?.at(-1)).toMatch(/the name of resource group 'global\.\$\{SOURCE\}' is empty/);
});

it('refuses a kind of statement that does not exist', () => {
  let error: unknown;
  try {
    ask({ queryType: 'SELECTS' });
  } catch (thrown) {
    error = thrown;
  }
  const { code, reason, message } = readRpcError(error);
  expect({ code, reason }).toEqual({ code: Code.InvalidArgument, reason: 'INVALID_ARGUMENT' });
  expect(message).toMatch(/^query_type "SELECTS" does not exist; it is one of DATA_DEFINITION, /);
});
