import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
export type { Counter, Gauge, Histogram } from 'prom-client';

/** The metrics of a process: a thin layer over a prom-client registry. Asking twice for a name gives the same metric. */
export interface Metrics {
  /** A number that only grows. Its name ends in `_total`. `collect` adds what is new just before it is read. */
  counter(
    name: string,
    help: string,
    labels?: readonly string[],
    collect?: (counter: Counter<string>) => void,
  ): Counter<string>;
  /** A number that goes up and down. `collect` sets it just before it is read. */
  gauge(
    name: string,
    help: string,
    labels?: readonly string[],
    collect?: (gauge: Gauge<string>) => void,
  ): Gauge<string>;
  /** How often values fell into which range. Durations are in seconds: the name ends in `_seconds`. */
  histogram(name: string, help: string, buckets: readonly number[], labels?: readonly string[]): Histogram<string>;
  /** All metrics as OpenMetrics text. */
  expose(): Promise<{ contentType: string; text: string }>;
}

/** How often the delay of the event loop is probed. The usual 10 ms cost an idle process more than all its own work. */
const EVENT_LOOP_PROBE_MS = 500;

/**
 * Makes the registry of a process. `processMetrics` (default true) adds memory, CPU, garbage collection and event loop
 * lag of the process.
 */
export function createMetrics(
  defaultLabels: Readonly<Record<string, string>>,
  options: { readonly processMetrics?: boolean } = {},
): Metrics {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as unknown as typeof Registry.PROMETHEUS_CONTENT_TYPE);
  registry.setDefaultLabels({ ...defaultLabels });
  if (options.processMetrics !== false) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PROBE_MS });
  }
  const registers = [registry];
  const known = <M>(name: string, make: () => M): M => (registry.getSingleMetric(name) as M | undefined) ?? make();
  return {
    counter(name, help, labels = [], collect) {
      return known(name, () => {
        const options = { name, help, labelNames: labels, registers };
        if (collect === undefined) return new Counter(options);
        const counter: Counter<string> = new Counter({ ...options, collect: () => collect(counter) });
        return counter;
      });
    },
    gauge(name, help, labels = [], collect) {
      return known(name, () => {
        const options = { name, help, labelNames: labels, registers };
        if (collect === undefined) return new Gauge(options);
        const gauge: Gauge<string> = new Gauge({ ...options, collect: () => collect(gauge) });
        return gauge;
      });
    },
    histogram(name, help, buckets, labels = []) {
      return known(name, () => new Histogram({ name, help, buckets: [...buckets], labelNames: labels, registers }));
    },
    async expose() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}
