// The three roles in this process, with their real ports, and what they tell at /metrics.
import { nodeId, seededRandom, systemClock } from '@tutti/base';
import { createCoordinator, settings as coordinatorSettings } from '@tutti/coordinator-app/testing';
import { GroupFile } from '@tutti/group-file';
import { createResourceManager, settings as resourceManagerSettings } from '@tutti/resource-manager-app/testing';
import { AddressWatcher, createMetrics, loadConfig, type Metrics, type Routes, type Settings } from '@tutti/service';
import { createTestServer, memoryTransport, TestLog } from '@tutti/service/testing';
import { createWorker, settings as workerSettings } from '@tutti/worker-app/testing';
import type { RealMetric, Role } from './metric-check.js';

const clock = systemClock;
const random = seededRandom(1);
const log = new TestLog();
const node = { nodeId: nodeId('n'), incarnation: 1, clock, random, log };
/** No resource manager. */
const nobody = () => new AddressWatcher({ specs: [], resolveIntervalMs: 1_000, resolve: async () => [], clock, log });
const defaults = <S extends Settings>(settings: S) => loadConfig(settings, { argv: [], env: {}, program: 'docs' });

/** Serves each role without anybody around it, and reads its metrics. */
export const readRoles = (): Promise<Role[]> =>
  Promise.all([
    readRole('Resource manager', resourceManagerRoutes),
    readRole('Coordinator', coordinatorRoutes),
    readRole('Worker', workerRoutes),
  ]);

async function readRole(title: string, wire: (metrics: Metrics) => Routes | Promise<Routes>): Promise<Role> {
  const labels = new Map<string, readonly string[]>();
  const metrics = recording(createMetrics({ node: 'n', role: title }), labels);
  const server = await createTestServer({ routes: await wire(metrics), metrics });
  try {
    const response = await fetch(`http://127.0.0.1:${server.ports.metrics}/metrics`);
    return { title, metrics: parse(await response.text(), labels) };
  } finally {
    await server.drain();
  }
}

/** Notes the labels that each metric is registered with: a metric without samples does not show them. */
function recording(metrics: Metrics, labels: Map<string, readonly string[]>): Metrics {
  return {
    counter(name, help, names = []) {
      labels.set(name.replace(/_total$/, ''), names);
      return metrics.counter(name, help, names);
    },
    gauge(name, help, names = [], collect) {
      labels.set(name, names);
      return metrics.gauge(name, help, names, collect);
    },
    histogram(name, help, buckets, names = []) {
      labels.set(name, names);
      return metrics.histogram(name, help, buckets, names);
    },
    expose: () => metrics.expose(),
  };
}

function parse(text: string, registered: ReadonlyMap<string, readonly string[]>): Map<string, RealMetric> {
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, family = '', type = '']) => [
      type === 'counter' ? `${family}_total` : family,
      { type, labels: registered.get(family) ?? sampleLabels(text, family) },
    ]),
  );
}

function sampleLabels(text: string, family: string): readonly string[] | undefined {
  const sample = new RegExp(`^${family}(?:_total|_count)?\\{(.*)\\} (.*)$`, 'm').exec(text);
  const names = [...(sample?.[1] ?? '').matchAll(/(\w+)="/g)].map(([, name = '']) => name);
  const own = names.filter((name) => name !== 'node' && name !== 'role');
  // A gauge that has counted nothing yet shows one 0 without its labels.
  return sample === null || (own.length === 0 && sample[2] === '0') ? undefined : own;
}

/** The built-in groups; it has metrics of its own. */
const groupFile = (metrics: Metrics): Promise<GroupFile> => GroupFile.open({ file: '', clock, log, metrics });

async function resourceManagerRoutes(metrics: Metrics): Promise<Routes> {
  const addresses = nobody();
  const config = defaults(resourceManagerSettings);
  const groups = await groupFile(metrics);
  return createResourceManager({ ...node, config, addresses, groups, metrics }).clusterRoutes;
}

async function coordinatorRoutes(metrics: Metrics): Promise<Routes> {
  return createCoordinator({
    ...node,
    querySuffix: 'docs1',
    config: defaults(coordinatorSettings),
    catalogs: [],
    groupFile: await groupFile(metrics),
    planner: { plan: () => Promise.reject(new Error('nobody asks')), close: async () => undefined },
    directory: {
      nodes: () => [],
      activeWorkers: () => [],
      byQuerySuffix: () => undefined,
      get: () => undefined,
      onChange: () => () => undefined,
      resourceManagers: () => [],
    },
    addresses: nobody(),
    transportTo: () => memoryTransport(() => undefined),
    connect: () => ({ ...memoryTransport(() => undefined), close: () => undefined }),
    heartbeats: { sendSoon: () => undefined, nextSequence: () => 1 },
    metrics,
  }).routes;
}

function workerRoutes(metrics: Metrics): Routes {
  return createWorker({
    ...node,
    config: defaults(workerSettings),
    pool: {
      start: async () => undefined,
      run: () => Promise.reject(new Error('nobody asks')),
      open: () => Promise.reject(new Error('nobody asks')),
      stats: () => ({ warm: 0, busy: 0, pids: [], rssBytes: 0, cpuMs: 0 }),
      close: async () => undefined,
    },
    exchange: {
      path: '/nowhere',
      begin: () => {
        throw new Error('nobody asks');
      },
      end: () => undefined,
      session: () => undefined,
      stats: () => ({ writtenBytes: 0, fetchedBytes: 0, servedBytes: 0, files: 0, heldBytes: 0 }),
      counts: { writtenBytes: 0, fetchedBytes: 0, servedBytes: 0 },
    },
    reportSoon: () => undefined,
    metrics,
  }).clusterRoutes;
}
