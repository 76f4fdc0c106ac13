import { DispatchError, isDispatchError } from '../../core/errors.ts';
import type { JobVertex, Requirements, Rescaling, VertexLoad } from '../job-manager.ts';
import { AggregatedMetrics, Anything, JobVertices, ResourceRequirements } from './answers.ts';
import { call } from './call.ts';
import { restPath, type RestTransport } from './transport.ts';

/** MetricNames.TASK_BUSY_TIME and TASK_BACK_PRESSURED_TIME: milliseconds of each second. */
const BUSY = 'busyTimeMsPerSecond';
const BACK_PRESSURED = 'backPressuredTimeMsPerSecond';

/** JobResourceRequirementsHeaders and JobResourcesRequirementsUpdateHeaders, of Flink's adaptive scheduler, from 1.18. */
export function createRescaling(transport: RestTransport): Rescaling {
  return {
    async vertices(jobId): Promise<readonly JobVertex[]> {
      return (await call(transport, { method: 'GET', path: restPath('jobs', jobId) }, JobVertices)).vertices;
    },
    async requirements(jobId): Promise<Requirements> {
      return call(transport, { method: 'GET', path: pathOf(jobId) }, ResourceRequirements);
    },
    async load(jobId, vertexId): Promise<VertexLoad | undefined> {
      const path = restPath('jobs', jobId, 'vertices', vertexId, 'subtasks', 'metrics');
      const query = { get: `${BUSY},${BACK_PRESSURED}`, agg: 'avg' };
      const metrics = await call(transport, { method: 'GET', path, query }, AggregatedMetrics);
      const [busy, backPressured] = [BUSY, BACK_PRESSURED].map((name) => metrics.find(({ id }) => id === name)?.avg);
      if (busy === undefined || backPressured === undefined) return undefined;
      return { busy: busy / 1000, backPressured: backPressured / 1000 };
    },
    async require(jobId, requirements): Promise<void> {
      const entries = Object.entries(requirements);
      const body = Object.fromEntries(entries.map(([id, parallelism]) => [id, { parallelism }]));
      await call(transport, { method: 'PUT', path: pathOf(jobId), body }, Anything).catch(asLater);
    },
  };
}

/** Of two who ask at once Flink takes one (Dispatcher.updateJobResourceRequirements): that is no answer to what is asked. */
function asLater(error: unknown): never {
  if (!isDispatchError(error) || !/Another update to the job .* is in progress/.test(error.message)) throw error;
  throw new DispatchError('RestUnreachable', error.message, { cause: error });
}

function pathOf(jobId: string): string {
  return restPath('jobs', jobId, 'resource-requirements');
}
