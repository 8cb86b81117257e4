export { TestLog, type LogLine } from './test-log.js';
export { createTestServer, memoryTransport, type TestServer } from './test-server.js';
