export { HeartbeatLedger, type LedgerEntry, type ReportOutcome } from './core/heartbeat-ledger.js';
export { type NodeStatus, type ProcessUsage, reportToWire } from './heartbeat-codec.js';
export { HeartbeatSender, type HeartbeatSenderOptions } from './heartbeat-sender.js';
export { ProcessMonitor } from './process-monitor.js';
