import type { IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import type { IStatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import type { IPriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass';
import type { IConfigMap } from 'kubernetes-models/v1/ConfigMap';
import type { IContainer } from 'kubernetes-models/v1/Container';
import type { INamespace } from 'kubernetes-models/v1/Namespace';
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IService } from 'kubernetes-models/v1/Service';
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments } from 'yaml';

/** The kinds that the manifests may hold. */
export interface Kinds {
  ConfigMap: IConfigMap;
  Deployment: IDeployment;
  HorizontalPodAutoscaler: IHorizontalPodAutoscaler;
  Namespace: INamespace;
  NetworkPolicy: INetworkPolicy;
  PodDisruptionBudget: IPodDisruptionBudget;
  PriorityClass: IPriorityClass;
  Service: IService;
  ServiceAccount: IServiceAccount;
  StatefulSet: IStatefulSet;
}

export interface ManifestObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

/** A Deployment or StatefulSet, and what its pods are. */
export interface Workload {
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly name: string;
  /** The role: the value of app.kubernetes.io/component. */
  readonly role: string;
  readonly object: IDeployment | IStatefulSet;
  readonly podLabels: Record<string, string>;
  readonly pod: IPodSpec;
  readonly container: IContainer;
}

/** The problems of a text as YAML: syntax, and keys that are given twice, of which all but the last would be lost. */
export const yamlProblems = (text: string): string[] =>
  parseAllDocuments(text, { uniqueKeys: true }).flatMap((document) => [
    ...('errors' in document ? document.errors.map((error) => error.message) : []),
  ]);

/** The objects of one built kustomization. */
export class Manifests {
  constructor(readonly objects: readonly ManifestObject[]) {}

  static parse(text: string): Manifests {
    const problems = yamlProblems(text);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    return new Manifests(
      parseAllDocuments(text).map((document) => (document as { toJS(): unknown }).toJS() as ManifestObject),
    );
  }

  /** A copy on its own, for tests that break it. */
  clone(): Manifests {
    return new Manifests(structuredClone(this.objects));
  }

  without(kind: keyof Kinds, name: string): Manifests {
    return new Manifests(this.objects.filter((object) => object.kind !== kind || object.metadata.name !== name));
  }

  all<K extends keyof Kinds>(kind: K): (Kinds[K] & ManifestObject)[] {
    return this.objects.filter((object) => object.kind === kind) as (Kinds[K] & ManifestObject)[];
  }

  get<K extends keyof Kinds>(kind: K, name: string): Kinds[K] & ManifestObject {
    const found = this.all(kind).find((object) => object.metadata.name === name);
    if (found === undefined) throw new Error(`no ${kind} ${name}`);
    return found;
  }

  workloads(): Workload[] {
    return (['Deployment', 'StatefulSet'] as const).flatMap((kind) =>
      this.all(kind).map((object) => {
        const template = object.spec?.template;
        const podLabels = template?.metadata?.labels ?? {};
        const pod = template?.spec ?? { containers: [] };
        const container = pod.containers[0] ?? { name: '' };
        const role = podLabels['app.kubernetes.io/component'] ?? '';
        return { kind, name: object.metadata.name, role, object, podLabels, pod, container };
      }),
    );
  }

  workload(role: string): Workload {
    const found = this.workloads().find((workload) => workload.role === role);
    if (found === undefined) throw new Error(`no workload of the role ${role}`);
    return found;
  }
}

/** Whether a selector of labels matches; an empty one matches everything, as in Kubernetes. */
export const matches = (
  selector: { matchLabels?: Record<string, string> } | undefined,
  labels: Record<string, string>,
): boolean => Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
