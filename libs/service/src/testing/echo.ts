// A service with a method of each kind, for tests of the adapters. Its descriptor is built here, so that no contract of
// Tutti has to carry it.
import { type Message, create, createFileRegistry } from '@bufbuild/protobuf';
import type { GenMessage, GenService } from '@bufbuild/protobuf/codegenv2';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as FieldType,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';

export type Echo = Message<'tutti.testing.v1.Echo'> & {
  /** What the handler should do, or what it says. */
  text: string;
  count: number;
  data: Uint8Array;
};

type EchoSchema = GenMessage<Echo>;
type EchoMethods = {
  unary: { methodKind: 'unary'; input: EchoSchema; output: EchoSchema };
  serverStream: { methodKind: 'server_streaming'; input: EchoSchema; output: EchoSchema };
  clientStream: { methodKind: 'client_streaming'; input: EchoSchema; output: EchoSchema };
  bidi: { methodKind: 'bidi_streaming'; input: EchoSchema; output: EchoSchema };
};

const TYPE = '.tutti.testing.v1.Echo';
const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
  name,
  inputType: TYPE,
  outputType: TYPE,
  clientStreaming,
  serverStreaming,
});
const field = (name: string, number: number, type: FieldType) => ({
  name,
  jsonName: name,
  number,
  type,
  label: Label.OPTIONAL,
});

const file = create(FileDescriptorProtoSchema, {
  name: 'tutti/testing/v1/echo.proto',
  package: 'tutti.testing.v1',
  syntax: 'proto3',
  messageType: [
    {
      name: 'Echo',
      field: [
        field('text', 1, FieldType.STRING),
        field('count', 2, FieldType.INT32),
        field('data', 3, FieldType.BYTES),
      ],
    },
  ],
  service: [
    {
      name: 'EchoService',
      method: [
        method('Unary', false, false),
        method('ServerStream', false, true),
        method('ClientStream', true, false),
        method('Bidi', true, true),
      ],
    },
  ],
});

const registry = createFileRegistry(file, () => undefined);

export const EchoService = registry.getService('tutti.testing.v1.EchoService') as unknown as GenService<EchoMethods>;
