import type { ManifestObject } from './manifests.js';

type Model = new (data: unknown) => { validate(): void };

/** What Kubernetes' own JSON schema says against an object: wrong types, missing fields, values outside their list. */
export async function schemaProblems(object: ManifestObject): Promise<string[]> {
  const name = `${object.kind} ${object.metadata.name}`;
  let models: Record<string, Model | undefined>;
  try {
    models = (await import(`kubernetes-models/${object.apiVersion}/${object.kind}`)) as typeof models;
  } catch {
    return [`${name}: there is no ${object.kind} in ${object.apiVersion}`];
  }
  const model = models[object.kind];
  if (model === undefined) return [`${name}: there is no ${object.kind} in ${object.apiVersion}`];
  try {
    new model(object).validate();
    return [];
  } catch (error) {
    return (error as Error).message.split(', ').map((problem) => `${name}: ${problem}`);
  }
}
