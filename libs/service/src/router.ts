import type { DescService } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';

/** Takes implementations of services. Methods that an implementation leaves out answer UNIMPLEMENTED. */
export interface Router {
  service<S extends DescService>(service: S, implementation: Partial<ServiceImpl<S>>): void;
}

/**
 * Names the services of a port: `(router) => { router.service(QueryService, queryService(deps)); }`.
 *
 * `drainSignal` aborts when the server begins to drain. A stream without an end of its own (a watch, heartbeats) must
 * end then, with the signal's reason, an UNAVAILABLE error: it would hold the drain for the whole grace.
 */
export type Routes = (router: Router, drainSignal: AbortSignal) => void;

/** One service and what implements it. */
export interface Mounted {
  readonly service: DescService;
  readonly implementation: Partial<ServiceImpl<DescService>>;
}

/** The services that `routes` names, in its order. */
export function mountedBy(routes: Routes, drainSignal: AbortSignal): Mounted[] {
  const mounted: Mounted[] = [];
  const router: Router = {
    service(service, implementation) {
      mounted.push({ service, implementation: implementation as Partial<ServiceImpl<DescService>> });
    },
  };
  routes(router, drainSignal);
  return mounted;
}
