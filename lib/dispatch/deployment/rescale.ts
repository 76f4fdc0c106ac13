import type { Instant } from '../../core/clock.ts';
import { isDispatchError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json.ts';
import type { DeploymentRecord, DeploymentRun } from '../../deployment/record.ts';
import { asked, notRescaled, notYet, rescaled, tooMuch } from '../../deployment/scale/rescale.ts';
import { isRequired, planRescale, runsWith, type RescalePlan } from '../../deployment/scale/plan.ts';
import type { ResolvedJob } from '../../job/job.ts';
import { scaleOf, withScaleOf } from '../../job/scale.ts';
import { currentAttempt, hasAttempt, updateAttempt } from '../../run/machine.ts';
import type { LaunchedRun, RunRecord } from '../../run/record.ts';
import { openAttempt } from '../attempt-context.ts';
import { changeRun } from '../change-run.ts';
import type { DispatchDeps } from '../deps.ts';
import { requestOf } from './start-run.ts';
import type { Found } from './take-snapshot.ts';

type Planned = Extract<RescalePlan, { kind: 'planned' }>;

/**
 * Asks Flink to run the job with the parallelism of the generation, or whether it does: first the run's record has it, for its
 * next attempt, then Flink. Trouble in asking says nothing of the job, which goes on.
 */
export async function rescale(
  { id, rescale: wanted }: DeploymentRun,
  record: DeploymentRecord,
  run: RunRecord,
  deps: DispatchDeps,
): Promise<Found | undefined> {
  if (wanted === undefined || run.runId !== id || run.state !== 'running' || !hasAttempt(run)) return undefined;
  const { generation } = wanted;
  const { job } = await requestOf(record, generation, deps);
  try {
    const answer = await rescaleTo(job, generation, run, deps);
    const now = deps.clock.now();
    const isNews = answer?.kind !== 'asked' || wanted.askedAt === undefined || now >= wanted.until;
    return answer && isNews ? (it) => noted(it, run, { answer, generation, now }) : undefined;
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    deps.log.warn('a job is not rescaled yet', { runId: id, reason: error.reason, error });
    const isRefused = error.reason === 'FlinkRefused' || error.reason === 'PermissionDenied';
    return isRefused ? (it) => notRescaled(it, id, generation, error.message) : undefined;
  }
}

type Answer = Exclude<RescalePlan, Planned> | { readonly kind: 'asked' | 'reached' };

function noted(
  record: DeploymentRecord,
  run: RunRecord,
  { answer, generation, now }: { readonly answer: Answer; readonly generation: number; readonly now: Instant },
): DeploymentRecord {
  const { runId } = run;
  switch (answer.kind) {
    case 'asked':
      return notYet(asked(record, run, generation, now), runId, generation, now);
    case 'reached':
      return rescaled(record, runId, generation, now);
    case 'unknown':
      return notRescaled(record, runId, generation, answer.message);
    case 'too-much':
      return tooMuch(record, runId, generation, answer.message, now);
  }
}

async function rescaleTo(
  job: ResolvedJob,
  generation: number,
  run: LaunchedRun,
  deps: DispatchDeps,
): Promise<Answer | undefined> {
  const { target, ref, attempt } = await openAttempt(run, deps);
  const flink = target.rescaling(ref);
  const { jobId, fixedVertices: fixed } = attempt;
  const [requirements, vertices] = await Promise.all([flink.requirements(jobId), flink.vertices(jobId)]);
  const [from, to] = [scaleOf(run.job.options), scaleOf(job.options)];
  const plan = planRescale({ vertices, requirements, from, to, fixed });
  if (plan.kind !== 'planned') return plan;
  if (!(await note(run, plan, { job, generation }, deps))) return undefined;
  const isAsked = isRequired(requirements, plan.requirements);
  if (isAsked && runsWith(vertices, plan.requirements)) return { kind: 'reached' };
  if (!isAsked) await flink.require(jobId, plan.requirements);
  return { kind: 'asked' };
}

/** Whether the record of the run has it, as far as nobody has changed what the plan rests on. */
async function note(
  seen: LaunchedRun,
  { fixed }: Planned,
  { job, generation }: { readonly job: ResolvedJob; readonly generation: number },
  deps: DispatchDeps,
): Promise<boolean> {
  const changed = await changeRun(
    seen.runId,
    (run) => {
      if (run.state !== 'running' || run.cancelRequested !== undefined || run.stopRequested !== undefined)
        return undefined;
      if (basis(run) !== basis(seen)) return undefined;
      const options = withScaleOf(run.job.options, job.options);
      const isKnown = currentAttempt(run).fixedVertices !== undefined || fixed === undefined;
      const isNoted = isKnown && run.deployment?.generation === generation && isSame(options, run.job.options);
      if (isNoted) return run;
      const attempt = isKnown ? run : updateAttempt(run, { fixedVertices: fixed });
      return {
        ...attempt,
        job: { ...run.job, options },
        ...(run.deployment && { deployment: { ...run.deployment, generation } }),
      };
    },
    deps,
  );
  return changed !== undefined;
}

/** What a plan for its job rests on. */
function basis(run: LaunchedRun): string {
  const { jobId, fixedVertices } = currentAttempt(run);
  return canonicalJson({ jobId, fixedVertices, scale: scaleOf(run.job.options) });
}

function isSame(one: object, other: object): boolean {
  return canonicalJson(one) === canonicalJson(other);
}
