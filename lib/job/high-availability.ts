import type { ResolvedJob } from './job.ts';
import { asksForHighAvailability } from '../flink/config/high-availability.ts';

/** Whether a job's options ask for high availability, as Flink reads them. */
export function hasHighAvailability(options: Readonly<Record<string, string>>): boolean {
  return asksForHighAvailability(options);
}

/**
 * Whether the attempt's job has the id that its record names. With high availability a JobManager that recovers has to find
 * its job by it, in a session there are jobs of others, and of a stream the directory of its checkpoints is known by it; Flink then runs one job of an application and refuses a second
 * execute(). Else an application runs as many jobs as it likes, all of its own cluster.
 */
export function hasFixedJobId({ mode, options, state }: Pick<ResolvedJob, 'mode' | 'options' | 'state'>): boolean {
  return mode === 'session' || state !== undefined || hasHighAvailability(options);
}
