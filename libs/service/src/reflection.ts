// grpc.reflection.v1 and v1alpha: tells clients without our .proto files what a port serves.
import {
  type AnyDesc,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  toBinary,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import { ServerReflection } from '@tutti/contracts/grpc/reflection/v1/reflection_pb';
import { ServerReflection as ServerReflectionAlpha } from '@tutti/contracts/grpc/reflection/v1alpha/reflection_pb';
import type { Router } from './router.js';

/** Both versions ask and answer in the same words; older tools know only v1alpha. */
interface Request {
  readonly host: string;
  readonly messageRequest:
    | { case: 'fileByFilename' | 'fileContainingSymbol' | 'allExtensionNumbersOfType' | 'listServices'; value: string }
    | { case: 'fileContainingExtension'; value: { containingType: string; extensionNumber: number } }
    | { case: undefined; value?: undefined };
}

/** Mounts both versions of reflection for `services`, which should name all services of the port, reflection included. */
export function mountReflection(router: Router, services: readonly DescService[]): void {
  const index = new DescriptorIndex(services);
  router.service(ServerReflection, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<string>();
      for await (const request of requests)
        yield { validHost: request.host, messageResponse: index.answer(request, sent) };
    },
  });
  router.service(ServerReflectionAlpha, {
    async *serverReflectionInfo(requests) {
      const sent = new Set<string>();
      for await (const request of requests)
        yield { validHost: request.host, messageResponse: index.answer(request, sent) };
    },
  });
}

export const REFLECTION_SERVICES: readonly DescService[] = [ServerReflection, ServerReflectionAlpha];

class DescriptorIndex {
  private readonly files = new Map<string, DescFile>();
  private readonly symbols = new Map<string, DescFile>();
  private readonly extensions = new Map<string, Map<number, DescExtension>>();
  private readonly messages = new Map<string, DescMessage>();

  constructor(private readonly services: readonly DescService[]) {
    for (const service of services) this.addFile(service.file);
  }

  /** The answer to one question. `sent` has the files that this client already got: they are not sent twice. */
  answer(request: Request, sent: Set<string>) {
    const { messageRequest: question } = request;
    switch (question.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse' as const,
          value: { service: this.services.map(({ typeName }) => ({ name: typeName })) },
        };
      case 'fileByFilename':
        return this.fileAnswer(this.files.get(`${question.value.replace(/\.proto$/, '')}`), question.value, sent);
      case 'fileContainingSymbol':
        return this.fileAnswer(this.symbols.get(question.value.replace(/^\./, '')), question.value, sent);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = question.value;
        const extension = this.extensions.get(containingType)?.get(extensionNumber);
        return this.fileAnswer(extension?.file, `extension ${extensionNumber} of ${containingType}`, sent);
      }
      case 'allExtensionNumbersOfType': {
        if (!this.messages.has(question.value)) return notFound(question.value);
        const extensionNumber = [...(this.extensions.get(question.value)?.keys() ?? [])];
        return {
          case: 'allExtensionNumbersResponse' as const,
          value: { baseTypeName: question.value, extensionNumber },
        };
      }
      case undefined:
        return errorAnswer(Code.InvalidArgument, 'the request asks nothing');
    }
  }

  private fileAnswer(file: DescFile | undefined, asked: string, sent: Set<string>) {
    if (file === undefined) return notFound(asked);
    const files = [file, ...importsOf(file).filter(({ name }) => !sent.has(name))];
    for (const { name } of files) sent.add(name);
    const fileDescriptorProto = files.map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
    return { case: 'fileDescriptorResponse' as const, value: { fileDescriptorProto } };
  }

  private addFile(file: DescFile): void {
    if (this.files.has(file.name)) return;
    this.files.set(file.name, file);
    for (const type of nestedTypes(file)) this.addType(type, file);
    for (const imported of file.dependencies) this.addFile(imported);
  }

  private addType(type: AnyDesc, file: DescFile): void {
    if (!('typeName' in type)) return;
    this.symbols.set(type.typeName, file);
    if (type.kind === 'service') {
      for (const method of type.methods) this.symbols.set(`${type.typeName}.${method.name}`, file);
    }
    if (type.kind === 'message') {
      this.messages.set(type.typeName, type);
      for (const { name } of [...type.fields, ...type.oneofs]) this.symbols.set(`${type.typeName}.${name}`, file);
    }
    if (type.kind === 'enum') {
      // The names of enum values stand beside the enum, not in it.
      const scope = type.typeName.slice(0, type.typeName.length - type.name.length);
      for (const value of type.values) this.symbols.set(`${scope}${value.name}`, file);
    }
    if (type.kind === 'extension') {
      const known = this.extensions.get(type.extendee.typeName) ?? new Map<number, DescExtension>();
      this.extensions.set(type.extendee.typeName, known.set(type.number, type));
    }
  }
}

/** All files that a file needs, directly or not, each once. */
function importsOf(file: DescFile, found = new Map<string, DescFile>()): DescFile[] {
  for (const imported of file.dependencies) {
    if (found.has(imported.name)) continue;
    found.set(imported.name, imported);
    importsOf(imported, found);
  }
  return [...found.values()];
}

const notFound = (asked: string) => errorAnswer(Code.NotFound, `${asked} not found`);

const errorAnswer = (code: Code, message: string) => ({
  case: 'errorResponse' as const,
  value: { errorCode: code as number, errorMessage: message },
});
