import type { Duration } from '../core/clock.ts';
import { DispatchError } from '../core/errors.ts';
import type { Autoscale, ResolvedJob } from './job.ts';
import { slotLimit } from './policy/policy-resources.ts';
import { scaleOf, scalesInPlace } from './scale.ts';
import type { JobSpec } from './spec/spec.ts';

const TARGET = 0.7;
const WINDOW: Duration = 60_000;
/** Flink's metrics are some ten seconds old, and a job that begins anew has to come to run. */
const SHORTEST: Duration = 30_000;
const LONGEST: Duration = 60 * 60_000;

/**
 * By which the parallelism of a stream follows its load; undefined where nobody asks for it.
 * @throws DispatchError `InvalidSpec`
 */
export function autoscaleOf(
  spec: Pick<NonNullable<JobSpec['job']>, 'autoscale'>,
  draft: Pick<ResolvedJob, 'mode' | 'options'>,
): Autoscale | undefined {
  if (spec.autoscale === undefined) return undefined;
  const { min, max, targetUtilization: target = TARGET, stabilizationWindow: window = WINDOW } = spec.autoscale;
  if (!scalesInPlace({ ...draft, kind: 'streaming' })) {
    throw refused('', 'needs mode application and flinkConfiguration.jobmanager.scheduler: adaptive, not reactive');
  }
  if (max < min) throw refused('.max', `${max} is less than job.autoscale.min, ${min}`);
  if (window < SHORTEST || window > LONGEST) {
    throw refused('.stabilizationWindow', `is ${window / 1000} s: it is 30 s at least, and an hour at most`);
  }
  const { parallelism } = scaleOf(draft.options);
  if (parallelism < min || parallelism > max) {
    throw refused('', `is for ${min} to ${max} subtasks, and job.parallelism, with which it begins, is ${parallelism}`);
  }
  return { min, max, target, window };
}

/** @throws DispatchError `InvalidSpec` for more than the job may have */
export function checkAutoscale({ state, options }: Pick<ResolvedJob, 'state' | 'options'>): void {
  const most = slotLimit(options);
  const { max = 0 } = state?.autoscale ?? {};
  if (most !== undefined && max > most)
    throw refused('.max', `${max} is more than the ${most} slots that the job may have`);
}

function refused(field: string, what: string): DispatchError {
  return new DispatchError('InvalidSpec', `job.autoscale${field} ${what}`, { field: `job.autoscale${field}` });
}
