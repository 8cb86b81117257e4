import { parseServers } from './connection.js';

test.each([
  ['http://127.0.0.1:8080', ['http://127.0.0.1:8080']],
  ['localhost', ['http://localhost:8080']],
  ['localhost:80', ['http://localhost']],
  ['localhost:9000/', ['http://localhost:9000']],
  ['[::1]', ['http://[::1]:8080']],
  ['[::1]:9000', ['http://[::1]:9000']],
  ['https://tutti.example/sql/', ['https://tutti.example/sql']],
  ['one, two:1 ,', ['http://one:8080', 'http://two:1']],
])('--server %s', (text, urls) => {
  expect(parseServers(text)).toEqual(urls);
});
