// What grpc.health.v1 and the HTTP probes answer.
//   "" and every service name   SERVING while the node is ready
//   "readiness"                 the same, under a name of its own
//   "liveness"                  SERVING as long as the process answers, also while it drains
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import type { Health } from '@tutti/contracts/grpc/health/v1/health_pb';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@tutti/contracts/grpc/health/v1/health_pb';

export const LIVENESS = 'liveness';
export const READINESS = 'readiness';

/** The readiness of this node, and who wants to hear of it. */
export class HealthState {
  private ready = false;
  private why = 'starting';
  private readonly waiting = new Set<() => void>();

  constructor(private readonly serviceNames: ReadonlySet<string>) {}

  setReady(ready: boolean, why = ready ? 'ready' : 'not ready'): void {
    this.ready = ready;
    this.why = why;
    for (const wake of this.waiting) wake();
  }

  readiness(): { ready: boolean; why: string } {
    return { ready: this.ready, why: this.why };
  }

  /** All names that can be asked for. */
  names(): string[] {
    return ['', LIVENESS, READINESS, ...this.serviceNames];
  }

  /** The status under a name; undefined for a name that is not known. */
  statusOf(name: string): ServingStatus | undefined {
    if (name === LIVENESS) return ServingStatus.SERVING;
    if (name !== '' && name !== READINESS && !this.serviceNames.has(name)) return undefined;
    return this.ready ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  /** Resolves at the next call of setReady, or when one of the signals aborts. */
  changed(...signals: readonly AbortSignal[]): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.waiting.delete(done);
        for (const signal of signals) signal.removeEventListener('abort', done);
        resolve();
      };
      this.waiting.add(done);
      for (const signal of signals) signal.addEventListener('abort', done, { once: true });
      if (signals.some((signal) => signal.aborted)) done();
    });
  }
}

/** grpc.health.v1 over a state. Watches end when `drainSignal` aborts, after they have told NOT_SERVING. */
export function healthService(state: HealthState, drainSignal: AbortSignal): ServiceImpl<typeof Health> {
  return {
    check({ service }) {
      const status = state.statusOf(service);
      if (status === undefined) throw new ConnectError(`unknown service ${JSON.stringify(service)}`, Code.NotFound);
      return { status };
    },
    list() {
      const statuses = state.names().map((name) => [name, { status: state.statusOf(name) ?? ServingStatus.UNKNOWN }]);
      return { statuses: Object.fromEntries(statuses) as Record<string, { status: ServingStatus }> };
    },
    async *watch({ service }, context) {
      let told: ServingStatus | undefined;
      for (;;) {
        const changed = state.changed(context.signal, drainSignal);
        const status = state.statusOf(service) ?? ServingStatus.SERVICE_UNKNOWN;
        if (status !== told) yield { status };
        told = status;
        if (drainSignal.aborted) throw drainSignal.reason;
        await changed;
        if (context.signal.aborted) return;
      }
    },
  };
}
