import { createClient, type Transport } from '@connectrpc/connect';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import type { GroupCounts, UsageSnapshot } from '@tutti/resource-groups';
import { readRpcError } from '@tutti/service';
import { countsToWire, usageFromWire } from './usage-codec.js';

export interface UsageQuestion {
  /** Number of the report, counted together with heartbeats. */
  readonly sequence: number;
  readonly groups: readonly GroupCounts[];
  /** The version of the resource groups that these counts keep to. */
  readonly configVersion: string;
}

export type UsageAnswer =
  | { readonly kind: 'usage'; readonly usage: Omit<UsageSnapshot, 'requestedAt'> }
  | { readonly kind: 'none'; readonly reason: string };

/** Asks one resource manager what all other coordinators run and wait for. Never rejects. */
export interface UsageSource {
  ask(address: string, question: UsageQuestion, timeoutMs: number, signal: AbortSignal): Promise<UsageAnswer>;
}

export function createUsageClient(options: {
  readonly nodeId: string;
  readonly incarnation: number;
  readonly transportTo: (address: string) => Transport;
}): UsageSource {
  return {
    async ask(address, question, timeoutMs, signal) {
      const client = createClient(ResourceGroupService, options.transportTo(address));
      const request = {
        nodeId: options.nodeId,
        incarnation: BigInt(options.incarnation),
        sequence: BigInt(question.sequence),
        groups: question.groups.map(countsToWire),
        configVersion: question.configVersion,
      };
      try {
        return { kind: 'usage', usage: usageFromWire(await client.getUsage(request, { timeoutMs, signal })) };
      } catch (error) {
        const { reason, message } = readRpcError(error);
        return { kind: 'none', reason: reason ?? message };
      }
    },
  };
}
