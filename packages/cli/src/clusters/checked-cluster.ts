import type { ClusterRequest, FlinkCluster } from '../../../../lib/flink/cluster.ts';
import { buildCluster } from '../../../../lib/flink/native/build-cluster.ts';
import { checkOptions } from '../../../../lib/flink/options/check.ts';
import type { Io } from '../terminal/io.ts';

/** A cluster's objects; what Flink would silently ignore goes to standard error. @throws DispatchError for a misspelt key */
export function checkedCluster(io: Io, request: ClusterRequest): FlinkCluster {
  for (const warning of checkOptions(request)) io.err(`warning: ${warning}\n`);
  return buildCluster(request);
}
