import type { JobVertex, Requirements, Rescaling } from '../job-manager.ts';
import { Anything, JobVertices, ResourceRequirements } from './answers.ts';
import { call } from './call.ts';
import { restPath, type RestTransport } from './transport.ts';

/** JobResourceRequirementsHeaders and JobResourcesRequirementsUpdateHeaders, of Flink's adaptive scheduler, from 1.18. */
export function createRescaling(transport: RestTransport): Rescaling {
  return {
    async vertices(jobId): Promise<readonly JobVertex[]> {
      return (await call(transport, { method: 'GET', path: restPath('jobs', jobId) }, JobVertices)).vertices;
    },
    async requirements(jobId): Promise<Requirements> {
      return call(transport, { method: 'GET', path: pathOf(jobId) }, ResourceRequirements);
    },
    async require(jobId, requirements): Promise<void> {
      const entries = Object.entries(requirements);
      const body = Object.fromEntries(entries.map(([id, parallelism]) => [id, { parallelism }]));
      await call(transport, { method: 'PUT', path: pathOf(jobId), body }, Anything);
    },
  };
}

function pathOf(jobId: string): string {
  return restPath('jobs', jobId, 'resource-requirements');
}
