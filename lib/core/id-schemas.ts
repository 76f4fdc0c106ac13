import * as z from 'zod';
import { isDeploymentId, isJobId, isRunId, type DeploymentId, type JobId, type RunId } from './ids.ts';

export const runIdSchema = z.custom<RunId>((value) => typeof value === 'string' && isRunId(value), 'must be a run id');
export const deploymentIdSchema = z.custom<DeploymentId>(
  (value) => typeof value === 'string' && isDeploymentId(value),
  'must be a deployment id',
);
export const jobIdSchema = z.custom<JobId>(
  (value) => typeof value === 'string' && isJobId(value),
  'must be a Flink job id',
);
