import {
  type DescMessage,
  type DescMethod,
  type DescService,
  type MessageShape,
  fromBinary,
  toBinary,
} from '@bufbuild/protobuf';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import { largeMessage } from '../large-message.js';

type AnyMessage = MessageShape<DescMethod['input']>;

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function encode(schema: DescMessage, message: AnyMessage): Buffer {
  const large = largeMessage(schema, message);
  return large === undefined ? asBuffer(toBinary(schema, message)) : Buffer.concat([large.head, large.bytes]);
}

const definitions = new WeakMap<DescMethod, MethodDefinition<AnyMessage, AnyMessage>>();

/** How grpc-js names a method and writes and reads its messages. */
export function methodDefinition(method: DescMethod): MethodDefinition<AnyMessage, AnyMessage> {
  const known = definitions.get(method);
  if (known !== undefined) return known;
  const { input, output, methodKind } = method;
  const definition: MethodDefinition<AnyMessage, AnyMessage> = {
    path: `/${method.parent.typeName}/${method.name}`,
    originalName: method.localName,
    requestStream: methodKind === 'client_streaming' || methodKind === 'bidi_streaming',
    responseStream: methodKind === 'server_streaming' || methodKind === 'bidi_streaming',
    requestSerialize: (message) => encode(input, message),
    requestDeserialize: (bytes) => fromBinary(input, bytes),
    responseSerialize: (message) => encode(output, message),
    responseDeserialize: (bytes) => fromBinary(output, bytes),
  };
  definitions.set(method, definition);
  return definition;
}

export const serviceDefinition = (service: DescService): ServiceDefinition =>
  Object.fromEntries(service.methods.map((method) => [method.localName, methodDefinition(method)]));
