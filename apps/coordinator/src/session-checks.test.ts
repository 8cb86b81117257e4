import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { SessionSchema } from '@tutti/contracts/tutti/query/v1/query_pb';
import { checkSession } from './session-checks.js';

const limits = {
  defaultCatalog: 'demo',
  catalogs: [{ name: 'demo', schemas: ['main', 'Sales'].map((name) => ({ name, tables: [] })) }],
};
const check = (session: MessageInitShape<typeof SessionSchema>) => checkSession(create(SessionSchema, session), limits);

test('a client that says nothing has defaults', () => {
  expect(checkSession(undefined, limits)).toEqual({
    user: 'anonymous',
    source: '',
    catalog: 'demo',
    schema: 'main',
    schemaIsGiven: false,
    principal: '',
    clientInfo: '',
    clientTags: [],
    priority: 1,
    estimates: {},
    properties: {},
  });
});

test('settings of the session are spelled in one way', () => {
  const properties = { Distribution: 'SINGLE', tasks_per_worker: '04' };
  expect(check({ properties }).properties).toEqual({ distribution: 'single', tasks_per_worker: '4' });
});

test('what selectors look at is kept as the client says it', () => {
  const session = {
    schema: 'SALES',
    principal: 'ada@example.org',
    clientInfo: 'nightly, run 7',
    clientTags: ['etl', 'eu'],
    priority: 9,
    estimates: { executionTime: { seconds: 60n, nanos: 0 }, peakMemoryBytes: 5n },
  };
  expect(check(session)).toMatchObject({
    schema: 'Sales',
    schemaIsGiven: true,
    principal: 'ada@example.org',
    clientInfo: 'nightly, run 7',
    clientTags: ['etl', 'eu'],
    priority: 9,
    estimates: { executionTimeMs: 60_000, peakMemoryBytes: 5 },
  });
});

test.each<[MessageInitShape<typeof SessionSchema>, string]>([
  [{ principal: 'p'.repeat(257) }, 'session.principal has 257 characters; the most is 256.'],
  [{ clientInfo: 'i'.repeat(1_001) }, 'session.client_info has 1001 characters; the most is 1000.'],
  [{ clientTags: Array(101).fill('t') }, 'session.client_tags holds 101 tags; the most is 100.'],
  [{ clientTags: ['a', 't'.repeat(257)] }, 'session.client_tags[1] has 257 characters; the most is 256.'],
  [{ priority: -3 }, 'session.priority must be at least 1; it is -3.'],
  [
    { properties: { distributon: 'single' } },
    'session.properties: There is no setting "distributon" of sessions. Did you mean "distribution"?',
  ],
  [{ properties: { adaptive: 'yes' } }, 'session.properties: The setting adaptive must be true or false; it is "yes".'],
  [{ estimates: { peakMemoryBytes: -1n } }, 'session.estimates.peak_memory_bytes must not be negative; it is -1.'],
  [
    { estimates: { cpuTime: { seconds: -2n, nanos: 0 } } },
    'session.estimates.cpu_time must not be negative; it is -2.00s.',
  ],
])('%j is refused', (session, message) => {
  expect(() => check(session)).toThrow(message);
});
