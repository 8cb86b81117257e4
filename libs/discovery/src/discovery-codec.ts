// Wire to ours and back: the only file here that knows both.
import { create } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { nodeId } from '@tutti/base';
import * as wire from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import type {
  AnnouncedState,
  NodeLoad,
  NodeRecord,
  NodeRole,
  NodeState,
  SeenNode,
  WitnessedRecord,
} from './core/node-record.js';

const ROLES: Readonly<Record<NodeRole, wire.NodeRole>> = {
  coordinator: wire.NodeRole.COORDINATOR,
  resourceManager: wire.NodeRole.RESOURCE_MANAGER,
  worker: wire.NodeRole.WORKER,
};

const STATES: Readonly<Record<NodeState, wire.NodeState>> = {
  ACTIVE: wire.NodeState.ACTIVE,
  DRAINING: wire.NodeState.DRAINING,
  SUSPECT: wire.NodeState.SUSPECT,
  GONE: wire.NodeState.GONE,
};

/** The most characters of an id or an address: what is longer comes from no node of ours. */
const TEXT_LENGTH_MAX = 256;

export const roleToWire = (role: NodeRole): wire.NodeRole => ROLES[role];
export const stateToWire = (state: NodeState): wire.NodeState => STATES[state];

/** Undefined for the unspecified role. */
export const roleFromWire = (role: wire.NodeRole): NodeRole | undefined => keyOf(ROLES, role);

export const recordToWire = (record: NodeRecord): wire.Announcement =>
  create(wire.AnnouncementSchema, {
    nodeId: record.nodeId,
    role: ROLES[record.role],
    incarnation: BigInt(record.incarnation),
    version: BigInt(record.version),
    state: STATES[record.state],
    clusterAddress: record.clusterAddress,
    edgeAddress: record.edgeAddress,
    queryIdSuffix: record.querySuffix,
    programVersion: record.programVersion,
  });

/** Undefined when the announcement misses what every node has: an id, a role, an incarnation and a state of its own. */
export function recordFromWire(announcement: wire.Announcement | undefined): NodeRecord | undefined {
  if (announcement === undefined || announcement.nodeId === '' || announcement.incarnation <= 0n) return undefined;
  const role = roleFromWire(announcement.role);
  const state = keyOf(STATES, announcement.state);
  const texts = [
    announcement.nodeId,
    announcement.clusterAddress,
    announcement.edgeAddress,
    announcement.queryIdSuffix,
  ];
  if (role === undefined || !isAnnounced(state) || texts.some((text) => text.length > TEXT_LENGTH_MAX))
    return undefined;
  return {
    nodeId: nodeId(announcement.nodeId),
    role,
    incarnation: Number(announcement.incarnation),
    version: Number(announcement.version),
    state,
    clusterAddress: announcement.clusterAddress,
    edgeAddress: announcement.edgeAddress,
    querySuffix: announcement.queryIdSuffix,
    programVersion: announcement.programVersion,
  };
}

const isAnnounced = (state: NodeState | undefined): state is AnnouncedState =>
  state !== undefined && state !== 'SUSPECT';

export const witnessedToWire = ({ record, ageMs }: WitnessedRecord): wire.ReplicatedAnnouncement =>
  create(wire.ReplicatedAnnouncementSchema, { announcement: recordToWire(record), age: wireDuration(ageMs) });

export function witnessedFromWire(replicated: wire.ReplicatedAnnouncement): WitnessedRecord | undefined {
  const record = recordFromWire(replicated.announcement);
  return record && { record, ageMs: replicated.age === undefined ? 0 : Math.max(0, durationMs(replicated.age)) };
}

/** A node as one resource manager sees it: what the node says of itself, and what is made of it. */
export function seenToWire(node: SeenNode, load: NodeLoad | undefined = node.load): wire.Node {
  return create(wire.NodeSchema, {
    announcement: recordToWire({ ...node, state: node.announcedState }),
    state: STATES[node.state],
    age: wireDuration(node.ageMs),
    ...(load === undefined ? {} : { load: loadToWire(load) }),
  });
}

export function seenFromWire(node: wire.Node): SeenNode | undefined {
  const record = recordFromWire(node.announcement);
  const state = keyOf(STATES, node.state);
  if (record === undefined || state === undefined) return undefined;
  const ageMs = node.age === undefined ? 0 : durationMs(node.age);
  const load = node.load === undefined ? {} : { load: loadFromWire(node.load) };
  return { ...record, state, announcedState: record.state, ageMs, ...load };
}

const loadToWire = (load: NodeLoad) => ({
  runningTasks: load.runningTasks,
  tasksMax: load.tasksMax,
  memoryReservedBytes: BigInt(load.memoryReservedBytes),
  memoryLimitBytes: BigInt(load.memoryLimitBytes),
  sequence: BigInt(load.sequence),
});

const loadFromWire = (load: wire.NodeLoad): NodeLoad => ({
  runningTasks: load.runningTasks,
  tasksMax: load.tasksMax,
  memoryReservedBytes: Number(load.memoryReservedBytes),
  memoryLimitBytes: Number(load.memoryLimitBytes),
  sequence: Number(load.sequence),
});

/** Whole milliseconds: enough for ages, and what the wire type takes. */
export const wireDuration = (ms: number) => durationFromMs(Math.round(ms));

function keyOf<K extends string>(table: Readonly<Record<K, number>>, value: number): K | undefined {
  return (Object.keys(table) as K[]).find((key) => table[key] === value);
}
