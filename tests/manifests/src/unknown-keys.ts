// The JSON schema allows any key beside those it knows, so a misspelt field is silently lost. The TypeScript types of the
// same package know exactly which fields there are: this walks an object and its type together.
import { join } from 'node:path';
import ts from 'typescript';
import { repositoryRoot } from './kustomize.js';
import type { ManifestObject } from './manifests.js';

const file = join(repositoryRoot, 'tests', 'manifests', 'src', 'kinds.virtual.ts');

/** Every key that the type of its object does not know, with its path. Takes about a second, mostly once per call. */
export function unknownKeys(objects: readonly ManifestObject[]): string[] {
  const kinds = [...new Set(objects.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`))];
  const imports = kinds.map(
    (path, index) => `export type T${index} = import('kubernetes-models/${path}').I${kindOf(path)};`,
  );
  const { checker, source } = compile(imports.join('\n'));
  const types = new Map<string, ts.Type>();
  source.forEachChild((node) => {
    if (ts.isTypeAliasDeclaration(node)) types.set(node.name.text, checker.getTypeAtLocation(node));
  });
  return objects.flatMap((object) => {
    const type = types.get(`T${kinds.indexOf(`${object.apiVersion}/${object.kind}`)}`);
    const path = `${object.kind} ${object.metadata.name}`;
    return type === undefined || isAny(type) ? [`${path}: has no type`] : walk(checker, object, type, path);
  });
}

const kindOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const isAny = (type: ts.Type): boolean => (type.flags & ts.TypeFlags.Any) !== 0;

function walk(checker: ts.TypeChecker, value: unknown, type: ts.Type, path: string): string[] {
  const known = checker.getNonNullableType(type);
  if (Array.isArray(value)) {
    const element = checker.getIndexTypeOfType(known, ts.IndexKind.Number);
    return value.flatMap((item, index) =>
      element === undefined ? [] : walk(checker, item, element, `${path}[${index}]`),
    );
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) => {
    const property = checker.getPropertyOfType(known, key);
    const memberType =
      property === undefined
        ? checker.getIndexTypeOfType(known, ts.IndexKind.String)
        : checker.getTypeOfSymbol(property);
    if (memberType === undefined) return [`${path}.${key}: unknown key`];
    return walk(checker, member, memberType, `${path}.${key}`);
  });
}

function compile(text: string): { checker: ts.TypeChecker; source: ts.SourceFile } {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    types: [],
    noEmit: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true) : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`cannot compile ${file}`);
  return { checker: program.getTypeChecker(), source };
}
