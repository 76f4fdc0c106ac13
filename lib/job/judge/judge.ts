import type { DispatchConfig } from '../config/dispatch-config.ts';
import { FlinkConfiguration } from '../../flink/config/configuration.ts';
import { FLINK } from '../../flink/options/flink.ts';
import type { ResolvedJob } from '../job.ts';
import type { JobSpec } from '../spec/spec.ts';
import { buildBaseline, buildJob } from './built.ts';
import { judgeCluster } from './cluster-rules.ts';
import { judgeConfiguration } from './configuration-rules.ts';
import type { Found } from './rules.ts';
import { traced } from './trace.ts';

export interface JudgeInput {
  readonly job: ResolvedJob;
  /** What people wrote, layer by layer, to name it in refusals; nothing is decided by it. */
  readonly userSpecs: readonly JobSpec[];
  /** The deployment's own layers. */
  readonly trusted: JobSpec;
  readonly deployment: DispatchConfig;
}

/**
 * Judges what would be made of a job: the finished objects, the TaskManager pods that the JobManager will make, and the
 * configuration as Flink will read it, by lists of what is allowed. What the deployment itself would have made is free.
 * @returns what is not allowed, with the field of the spec where it is known, else the path in the object
 * @throws DispatchError for a job that Flink's client would refuse
 */
export function judgeJob({ job, userSpecs, trusted, deployment }: JudgeInput): readonly Found[] {
  const { allow } = deployment;
  if (job.mode === 'session') return judgeSessionJob(job, deployment);
  const built = buildJob(job);
  const base = buildBaseline(job, trusted, deployment);
  const found = [...judgeConfiguration(built, base, allow), ...judgeCluster(built, base, allow)];
  return found.map((one) => traced(one, userSpecs));
}

/** Of a job in a session nothing is made: what it takes is slots. */
function judgeSessionJob({ options }: ResolvedJob, { allow }: DispatchConfig): readonly Found[] {
  const asked = new FlinkConfiguration(true, Object.entries(options)).getOptional(FLINK.parallelism) ?? 1;
  const { parallelism } = allow.maxResources;
  if (asked <= parallelism) return [];
  const message = `${asked} subtasks are more than the allowed ${parallelism} (allow.maxResources)`;
  return [{ field: 'job.parallelism', message }];
}
