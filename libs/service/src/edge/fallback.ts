// What the edge port answers to requests that are no known call: people with a browser or curl, and callers of services
// that this role does not have.
import type { HttpHandler, HttpRequest, HttpResponse } from './edge-server.js';

/** Tells what is served here, and where to look. `name` names the program and the node. */
export const friendlyFallback =
  (name: string, serviceNames: readonly string[]): HttpHandler =>
  (request, response) => {
    const path = request.url?.split('?', 1)[0] ?? '/';
    const contentType = request.headers['content-type'] ?? '';
    if (contentType.startsWith('application/grpc')) return unimplementedGrpc(path, contentType, response);
    if (request.method === 'POST') return unimplementedConnect(path, response);
    const status = path === '/' ? 200 : 404;
    if (wantsJson(request)) {
      const body =
        path === '/' ? { name, services: serviceNames } : { error: `nothing at ${path}`, services: serviceNames };
      return send(response, status, 'application/json', `${JSON.stringify(body, undefined, 2)}\n`);
    }
    send(response, status, 'text/plain; charset=utf-8', indexText(name, path, serviceNames));
  };

function indexText(name: string, path: string, serviceNames: readonly string[]): string {
  const example = serviceNames.find((service) => service.startsWith('tutti.')) ?? serviceNames[0] ?? 'SERVICE';
  return [
    path === '/' ? name : `${name}: there is nothing at ${path}`,
    '',
    'This port speaks gRPC, gRPC-Web and Connect (JSON over HTTP/1.1 and HTTP/2). Services:',
    ...serviceNames.map((service) => `  ${service}`),
    '',
    'Try:',
    `  grpcurl -plaintext HOST:PORT describe ${example}`,
    `  curl -H 'content-type: application/json' -d '{}' http://HOST:PORT/${example}/METHOD`,
    '',
  ].join('\n');
}

const wantsJson = (request: HttpRequest): boolean => (request.headers.accept ?? '').includes('application/json');

/** gRPC carries its status in trailers, also for paths that nobody serves (code 12 is UNIMPLEMENTED). */
function unimplementedGrpc(path: string, contentType: string, response: HttpResponse): void {
  writeHead(response, 200, {
    'content-type': contentType,
    'grpc-status': '12',
    'grpc-message': encodeURI(`this port serves no method ${path}`),
  });
  response.end('');
}

const unimplementedConnect = (path: string, response: HttpResponse): void =>
  send(
    response,
    404,
    'application/json',
    `${JSON.stringify({ code: 'unimplemented', message: `this port serves no method ${path}` })}\n`,
  );

/** Answers with a whole body. */
export function send(response: HttpResponse, status: number, contentType: string, body: string): void {
  writeHead(response, status, { 'content-type': contentType, 'content-length': String(Buffer.byteLength(body)) });
  response.end(body);
}

function writeHead(response: HttpResponse, status: number, headers: Record<string, string>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
}
