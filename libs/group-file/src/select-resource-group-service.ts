import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Code } from '@connectrpc/connect';
import type {
  ResourceEstimates,
  SelectResourceGroupRequest,
  SelectResourceGroupResponseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { explainSelection, QUERY_TYPES, type SelectionCriteria } from '@tutti/resource-groups';
import { rpcError } from '@tutti/service';
import type { LoadedGroups } from './group-file.js';

/** Answers which group a query would go to. Throws INVALID_ARGUMENT for a query type that does not exist. */
export function selectResourceGroup(
  request: SelectResourceGroupRequest,
  { config, version }: LoadedGroups,
): MessageInitShape<typeof SelectResourceGroupResponseSchema> {
  const { selection, reasons } = explainSelection(config, criteriaOf(request));
  if (selection.kind !== 'selected') {
    const selector = selection.kind === 'invalid' ? selection.selector + 1 : 0;
    return { selector, reasons: [...reasons], configVersion: version };
  }
  const { target, selector } = selection;
  const template = target.specs.at(-1)?.template ?? '';
  return { group: target.path, template, selector: selector + 1, reasons: [...reasons], configVersion: version };
}

function criteriaOf(request: SelectResourceGroupRequest): SelectionCriteria {
  const { user, source, principal, clientInfo, clientTags, schema, estimates } = request;
  const wanted = request.queryType === '' ? 'SELECT' : request.queryType.toUpperCase();
  const queryType = QUERY_TYPES.find((type) => type === wanted);
  if (queryType === undefined) {
    const message = `query_type "${request.queryType}" does not exist; it is one of ${QUERY_TYPES.join(', ')}`;
    throw rpcError(Code.InvalidArgument, message, { reason: 'INVALID_ARGUMENT' });
  }
  return {
    ...{ user: user === '' ? 'anonymous' : user, source, principal, clientInfo, clientTags, queryType },
    ...(schema !== '' && { schema }),
    ...(estimates !== undefined && { estimates: estimatesOf(estimates) }),
  };
}

const estimatesOf = ({ executionTime, cpuTime, peakMemoryBytes }: ResourceEstimates) => ({
  ...(executionTime !== undefined && { executionTimeMs: durationMs(executionTime) }),
  ...(cpuTime !== undefined && { cpuTimeMs: durationMs(cpuTime) }),
  ...(peakMemoryBytes > 0n && { peakMemoryBytes: Number(peakMemoryBytes) }),
});
