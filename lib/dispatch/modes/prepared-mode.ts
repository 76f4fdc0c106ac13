import type { Duration } from '../../core/clock.ts';
import { omit } from '../../core/omit.ts';
import type { JarRun } from '../../flink/job-manager.ts';
import { operatorsOf } from '../../flink/plan/operators.ts';
import type { ActiveRun, Prepared } from '../../run/record.ts';
import { updateAttempt } from '../../run/machine.ts';
import { isHeld } from '../../run/prepared.ts';
import { cancelOf } from '../../run/stop-request.ts';
import { isReplaced, jobManagerIdentity } from '../../verdict/verdict.ts';
import type { Observation } from '../../verdict/observation.ts';
import { passOnCancel } from './application-mode.ts';
import { withRun, type AttemptContext } from '../attempt-context.ts';
import { planPrepared, slotsOf } from './plan-prepared.ts';
import { observe } from '../look/observe.ts';
import type { Acted, Mode } from './mode.ts';
import { makeCluster, ownerOf, removeCluster, withdraw } from './own-cluster.ts';
import { answered, bringJar, requestFor, telling } from './session-submit.ts';

type At = AttemptContext<ActiveRun>;

/** About what main() takes until its job is there; a second one beside it is refused. */
const AT_ONCE: Duration = 5_000;

/**
 * A cluster of the attempt's own whose JobManager begins nothing by itself: it has its TaskManagers and the jar while the
 * run before it goes on, and runs main() when it is asked to, which is after the permit.
 */
export const preparedMode: Mode = {
  launch: (at) => makeCluster(at, planPrepared(at.job, { clusterId: at.ref.clusterId, owner: ownerOf(at) })),
  observe,
  act,
  revokeStart: withdraw,
  removeAndVerify: removeCluster,
};

async function act(at: At, observation: Observation): Promise<Acted> {
  const noted = withRun(at, noteDeployment(at, observation));
  if ((cancelOf(at.run) ?? at.attempt.abortOutcome) !== undefined) {
    await passOnCancel(noted, observation);
    return { record: noted.run };
  }
  return isHeld(at.run) ? makeReady(noted, observation) : submit(noted, observation);
}

/** The first Deployment is the one that counts. */
function noteDeployment({ run, attempt }: At, { kubernetes: { deployment } }: Observation): ActiveRun {
  if (deployment.state === 'absent' || attempt.deploymentUid !== undefined) return run;
  return updateAttempt(run, { deploymentUid: deployment.uid });
}

/**
 * Ready means: whoever submits the job now waits for nothing but the job. A plan is made of the jar, so that main() is known
 * to work, and its classes are loaded, before anything is ended for it. Another JobManager has neither.
 */
async function makeReady(at: At, observation: Observation): Promise<Acted> {
  const { run, job, attempt, deps } = at;
  const jobManager = jobManagerIdentity(observation);
  const { rest } = observation;
  if (jobManager === undefined || rest.state === 'unreachable') return { record: run };
  const isKnown = run.prepared?.jarId !== undefined && !isReplaced(attempt, observation.kubernetes);
  if (!isKnown) {
    return telling(at, async () => {
      const prepared = await planJar(at);
      return updateAttempt({ ...run, prepared }, { jobManager });
    });
  }
  if (run.prepared.readyAt !== undefined || rest.facts.slotsAvailable < slotsOf(job)) return { record: run };
  return { record: { ...run, prepared: { ...run.prepared, readyAt: deps.clock.now() } } };
}

async function planJar(at: At): Promise<Prepared> {
  const jarId = await bringJar(at);
  const { jars } = at.target.session(at.ref);
  const chained = await jars.plan(jarId, requestOf(at));
  if (at.job.state?.checkState !== true) return { jarId };
  const unchained = await jars.plan(jarId, { ...requestOf(at), flinkConfiguration: UNCHAINED });
  return { jarId, operators: operatorsOf(chained, unchained) };
}

/** By which a plan has a vertex for each operator. */
const UNCHAINED = { 'pipeline.operator-chaining.enabled': 'false' };

/** Hands the program over, unless it is there. Who has granted the permit does so at once, and has its time for it. */
async function submit(at: At, { rest, kubernetes }: Observation): Promise<Acted> {
  const { run, attempt, deps } = at;
  if (rest.state === 'unreachable') return { record: run };
  if (rest.facts.jobs.some(({ id }) => id === attempt.jobId)) return { record: answered(at) };
  const { permittedAt = 0 } = run.prepared ?? {};
  const isDone = attempt.submission?.answeredAt !== undefined || deps.clock.now() - permittedAt < AT_ONCE;
  if (isDone || isReplaced(attempt, kubernetes)) return { record: run };
  return telling(at, async () => {
    await handOver(at);
    return answered(at);
  });
}

/**
 * Runs main() in the JobManager that is there for it.
 * @throws ProgramFailed, DispatchError as `Jars.run`
 */
export async function handOver({ run, job, attempt, ref, target }: AttemptContext): Promise<void> {
  const { jarId = '' } = run.prepared ?? {};
  await target.session(ref).jars.run(jarId, requestOf({ job, attempt }));
}

/** The cluster is the job's own and has all its options, save what it starts from, which comes with the permit. */
function requestOf(at: Pick<At, 'job' | 'attempt'>): JarRun {
  const { restoredFrom } = at.attempt;
  const request = omit(requestFor(at), 'flinkConfiguration', 'savepointPath');
  return { ...request, ...(restoredFrom && { savepointPath: restoredFrom.path, claimMode: 'NO_CLAIM' }) };
}
