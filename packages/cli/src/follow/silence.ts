import {
  applicationEndInLog,
  exitCall,
  exitedByProgram,
  hidesExitCode,
} from '../../../../lib/diagnosis/application-log.ts';
import { findFailure, type Finding } from '../../../../lib/diagnosis/findings.ts';
import { findInLog } from '../../../../lib/diagnosis/log-findings.ts';
import { mainContainer } from '../../../../lib/kubernetes/cluster/containers.ts';
import type { Duration } from '../../../../lib/core/clock.ts';
import type { ClusterRef, KubernetesFacts } from '../../../../lib/kubernetes/cluster/port.ts';
import { allEnded, applicationFailed, endingOf, withLog, type Ending, type JobEnding } from './ending.ts';
import { jobsSeen, readLog, say, type FollowDeps, type Seen } from './seen.ts';

const LOOK_EVERY: Duration = 500;
/** Between the last answer of a JobManager that goes by itself and the end of its Deployment. */
const GOING_AWAY: Duration = 1_000;

/** No answer: before the first one it starts or cannot; after it the cluster may be going away, as it should. */
export async function withoutAnswer(ref: ClusterRef, deps: FollowDeps, seen: Seen): Promise<Ending | undefined> {
  const now = deps.clock.now();
  // a JobManager that is going away is looked at at once: its log goes with it
  if (now - seen.lastSilence < LOOK_EVERY && seen.lastSilence > seen.lastAnswer) return undefined;
  seen.lastSilence = now;
  const facts = await deps.clusters.observe(ref);
  const leaves = facts.deployment.state === 'absent' || facts.deployment.deleting;
  await readLastWords({ ref, facts, leaves }, deps, seen);
  const ended = !deps.stays && now - seen.lastAnswer > GOING_AWAY && allEnded(jobsSeen(seen));
  if (leaves || ended) return gone(deps, seen);
  const finding = findFailure(facts, now);
  if (finding?.certainty === 'final' && !recovers(finding, deps, seen)) return failedStart(finding, facts, seen);
  say(deps, seen, finding === undefined ? startSituation(facts, seen) : `${finding.reason}: ${finding.message}`);
  return undefined;
}

/** Another JobManager takes the job on. */
function recovers({ reason }: Finding, { highAvailability }: FollowDeps, { jobs }: Seen): boolean {
  return highAvailability && jobs.size > 0 && (reason === 'JobManagerCrashed' || reason === 'PodEvicted');
}

interface Silence {
  readonly ref: ClusterRef;
  readonly facts: KubernetesFacts;
  readonly leaves: boolean;
}

/** Of a JobManager that has answered before, has ended, or is leaving: what it wrote last is all that is left of it. */
async function readLastWords({ ref, facts, leaves }: Silence, deps: FollowDeps, seen: Seen): Promise<void> {
  const container = mainContainer(facts.pods.find(({ component }) => component === 'jobmanager'));
  if (container === undefined) return;
  const previous = container.state !== 'terminated' && container.restartCount > 0;
  if (!seen.answeredOnce && !leaves && !previous && container.state !== 'terminated') return;
  await readLog(ref, facts, deps, seen, previous);
}

function gone(deps: FollowDeps, seen: Seen): Ending {
  const jobs = withLog(jobsSeen(seen), seen.log);
  if (seen.ended !== undefined) return { ...seen.ended.ending, jobs };
  if (allEnded(jobs)) {
    const ending = endingOf(jobs);
    const end = applicationEndInLog(seen.log);
    const alone = end?.status === 'FAILED' && ending.state === 'FINISHED';
    return alone ? applicationFailed(jobs, end.rootException) : ending;
  }
  const words = findInLog(seen.log);
  if (words !== undefined) {
    return { state: 'FAILED', jobs, reason: words.reason, message: words.rootException ?? words.message };
  }
  const age = Math.round((deps.clock.now() - seen.lastAnswer) / 1000);
  const last = seen.answeredOnce ? `its JobManager last answered ${age} s before` : 'its JobManager never answered';
  return { state: 'UNKNOWN', jobs, message: `the cluster is gone and ${last}` };
}

function failedStart(finding: Finding, facts: KubernetesFacts, seen: Seen): Ending {
  const jobs = withLog(jobsSeen(seen), seen.log);
  if (seen.ended !== undefined) return { ...seen.ended.ending, jobs, stuck: true };
  const failed = { state: 'FAILED', jobs, stuck: true } as const;
  if (finding.reason !== 'JobManagerCrashed') return { ...failed, reason: finding.reason, message: finding.message };
  const words = findInLog(seen.log);
  const exit = words === undefined || words.reason === finding.reason ? exitOfMain(facts, jobs, seen.log) : undefined;
  if (exit !== undefined) return exit;
  if (words === undefined) return { ...failed, reason: finding.reason, message: finding.message };
  return { ...failed, reason: words.reason, message: words.rootException ?? words.message };
}

/** main() called System.exit(): with 0 after its jobs it has done what it wanted. */
function exitOfMain({ pods }: KubernetesFacts, jobs: readonly JobEnding[], log: string): Ending | undefined {
  const main = mainContainer(pods.find(({ component }) => component === 'jobmanager'));
  const code = main?.state === 'terminated' ? main.exitCode : main?.last?.exitCode;
  if (code === undefined || !exitedByProgram(log, code)) return undefined;
  const end = allEnded(jobs) ? endingOf(jobs) : undefined;
  if (code === 0 && end !== undefined) return { ...end, stuck: true };
  const message = `main() called ${exitCall(code)}`;
  if (hidesExitCode(code) && end?.state === 'FINISHED') {
    return { state: 'UNKNOWN', jobs, message: `the job finished, and ${message}`, stuck: true };
  }
  return { state: 'FAILED', jobs, reason: 'ApplicationFailed', message, stuck: true };
}

function startSituation(facts: KubernetesFacts, seen: Seen): string {
  if (seen.answeredOnce) return 'the JobManager does not answer any more';
  const pod = facts.pods.find(({ component }) => component === 'jobmanager');
  if (pod === undefined) return 'no JobManager pod yet';
  const waiting = pod.containers.find(({ state, reason }) => state === 'waiting' && reason !== undefined);
  if (waiting !== undefined) return `JobManager pod: ${waiting.reason ?? ''}`;
  return pod.ready ? 'JobManager starts' : `JobManager pod ${pod.phase}`;
}
