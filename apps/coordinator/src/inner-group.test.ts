import { Code } from '@connectrpc/connect';
import { readRpcError } from '@tutti/service';
import { groupsOf, Listening, TestCluster } from './testing/test-cluster.js';

const limits = { hardConcurrencyLimit: 1, maxQueued: 10 };

test('DB-5: a query that a selector sends to a group with subgroups fails', async () => {
  const cluster = new TestCluster();
  cluster.worker('w1');
  const global = { name: 'global', ...limits, subGroups: [{ name: 'adhoc', ...limits }] };
  const selectors = [{ source: 'old', group: 'global' }, { group: 'global.adhoc' }];
  const { client } = cluster.coordinator('c1', 'aaaaa', groupsOf({ rootGroups: [global], selectors }));
  const send = async (source: string) => {
    const heard = new Listening(client, { statement: 'rows 1', session: { source } });
    await cluster.until(() => heard.over, 1);
    return heard;
  };
  expect(readRpcError((await send('old')).error)).toMatchObject({
    code: Code.FailedPrecondition,
    reason: 'INVALID_RESOURCE_GROUP',
    message: expect.stringMatching(
      /Cannot add queries to global\. It is not a leaf group; .*: global\.adhoc \(selector 1\)\./,
    ),
  });
  expect((await send('new')).last?.resourceGroup).toBe('global.adhoc');
  cluster.stop();
});
