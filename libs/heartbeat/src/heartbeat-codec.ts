// Between our types and the messages of heartbeat.proto. What a node does travels through the sender unread, so it stays
// in wire types: each role builds its own case, and the resource manager reads them all.
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { NodeId } from '@tutti/base';
import {
  type CoordinatorStatusSchema,
  type NodeReport,
  NodeReportSchema,
  type ResourceManagerStatusSchema,
  type WorkerStatusSchema,
} from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';

/** What a node is and does. */
export type NodeStatus =
  | { readonly case: 'coordinator'; readonly value: MessageInitShape<typeof CoordinatorStatusSchema> }
  | { readonly case: 'worker'; readonly value: MessageInitShape<typeof WorkerStatusSchema> }
  | { readonly case: 'resourceManager'; readonly value: MessageInitShape<typeof ResourceManagerStatusSchema> };

/** What a process uses, children included. */
export interface ProcessUsage {
  /** Cores that it may use. */
  readonly cpuCores: number;
  /** Cores that it used on average since its last report. */
  readonly cpuUsedCores: number;
  readonly rssBytes: number;
  /** Greatest delay of its event loop since its last report. */
  readonly eventLoopLagMs: number;
}

/** One report. */
export function reportToWire(report: {
  readonly nodeId: NodeId;
  readonly incarnation: number;
  readonly sequence: number;
  readonly process: ProcessUsage;
  readonly status: NodeStatus;
}): NodeReport {
  return create(NodeReportSchema, {
    nodeId: report.nodeId,
    incarnation: BigInt(report.incarnation),
    sequence: BigInt(report.sequence),
    process: {
      cpuCores: report.process.cpuCores,
      cpuUsedCores: report.process.cpuUsedCores,
      rssBytes: BigInt(Math.round(report.process.rssBytes)),
      eventLoopLag: durationFromMs(Math.round(report.process.eventLoopLagMs)),
    },
    status: report.status,
  });
}
