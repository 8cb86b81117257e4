// Between the headers and errors of Connect and those of grpc-js. Codes are the same numbers in both.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema, anyPack } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, decodeBinaryHeader, encodeBinaryHeader } from '@connectrpc/connect';
import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { StatusSchema } from '@tutti/contracts/google/rpc/status_pb';

const DETAILS_KEY = 'grpc-status-details-bin';
/** Headers that the libraries themselves write. */
const RESERVED = /^(:|grpc-|content-type$|te$|user-agent$|connection$|host$)/;

export function metadataToHeaders(metadata: Metadata | undefined): Headers {
  const headers = new Headers();
  for (const key of Object.keys(metadata?.getMap() ?? {})) {
    if (key === DETAILS_KEY) continue;
    for (const value of metadata?.get(key) ?? []) {
      headers.append(key, typeof value === 'string' ? value : encodeBinaryHeader(value));
    }
  }
  return headers;
}

export function headersToMetadata(headers: Headers): Metadata {
  const metadata = new Metadata();
  headers.forEach((value, key) => {
    if (RESERVED.test(key)) return;
    if (!key.endsWith('-bin')) return metadata.add(key, value);
    for (const part of value.split(',')) metadata.add(key, Buffer.from(decodeBinaryHeader(part.trim())));
  });
  return metadata;
}

/** An error of Connect as a status of grpc-js; its details go into the trailer that all gRPC libraries read. */
export function toStatus(error: unknown, trailer?: Headers): StatusObject {
  const remote = ConnectError.from(error, Code.Internal);
  const metadata = headersToMetadata(remote.metadata);
  if (trailer !== undefined) metadata.merge(headersToMetadata(trailer));
  const { code, rawMessage: message } = remote;
  if (remote.details.length > 0) {
    const status = create(StatusSchema, { code, message, details: remote.details.map(packDetail) });
    metadata.set(DETAILS_KEY, Buffer.from(toBinary(StatusSchema, status)));
  }
  return { code: code as number, details: message, metadata };
}

function packDetail(detail: ConnectError['details'][number]): Any {
  if ('desc' in detail) return anyPack(detail.desc, create(detail.desc, detail.value));
  return create(AnySchema, { typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value });
}

/** A status of grpc-js (or the error it throws for one) as an error of Connect. */
export function fromStatus(status: Pick<StatusObject, 'code' | 'details'> & { metadata?: Metadata }): ConnectError {
  const code = (status.code >= 1 && status.code <= 16 ? status.code : Code.Unknown) as Code;
  const error = new ConnectError(status.details, code, metadataToHeaders(status.metadata));
  const [packed] = status.metadata?.get(DETAILS_KEY) ?? [];
  if (packed instanceof Buffer) error.details = unpackDetails(packed);
  return error;
}

function unpackDetails(packed: Buffer): ConnectError['details'] {
  try {
    return fromBinary(StatusSchema, packed).details.map((any) => ({
      type: any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1),
      value: any.value,
    }));
  } catch {
    // Other software sent something else under this name. The code and the message of the error are still good.
    return [];
  }
}
