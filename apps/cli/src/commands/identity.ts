import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ResourceEstimatesSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';

/** What a client says of itself and of its statements. Selectors of resource groups look at it. */
export interface Identity {
  readonly user: string;
  readonly source: string;
  readonly principal: string;
  readonly clientInfo: string;
  readonly clientTags: readonly string[];
  readonly schema: string;
  readonly estimates: Estimates | undefined;
}

/** What a client expects a query to take. */
export interface Estimates {
  readonly executionTimeMs?: number;
  readonly cpuTimeMs?: number;
  readonly peakMemoryBytes?: number;
}

/** The fields that a session and the question for a group have in common. */
export const identityFields = ({ clientTags, estimates, ...texts }: Identity) => ({
  ...texts,
  clientTags: [...clientTags],
  ...(estimates !== undefined && { estimates: encodeEstimates(estimates) }),
});

const encodeEstimates = ({
  executionTimeMs,
  cpuTimeMs,
  peakMemoryBytes,
}: Estimates): MessageInitShape<typeof ResourceEstimatesSchema> => ({
  ...(executionTimeMs !== undefined && { executionTime: durationFromMs(executionTimeMs) }),
  ...(cpuTimeMs !== undefined && { cpuTime: durationFromMs(cpuTimeMs) }),
  ...(peakMemoryBytes !== undefined && { peakMemoryBytes: BigInt(Math.round(peakMemoryBytes)) }),
});
