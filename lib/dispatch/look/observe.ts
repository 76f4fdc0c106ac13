import type { Duration } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { refusedRight } from '../../diagnosis/refused-right.ts';
import { logWorthReading, type LogRef } from '../../diagnosis/log-worth-reading.ts';
import { hasFixedJobId, hasHighAvailability } from '../../job/high-availability.ts';
import { isMainRunning, mainContainer } from '../../kubernetes/cluster/containers.ts';
import type { ClusterRef, KubernetesFacts, LogTail } from '../../kubernetes/cluster/port.ts';
import type { Observation, RestFacts } from '../../verdict/observation.ts';
import { jobsOf } from '../../verdict/jobs.ts';
import { firstJobManager, isReplaced, jobManagerIdentity } from '../../verdict/verdict.ts';
import { askJobManager } from './ask-job-manager.ts';
import type { AttemptContext } from '../attempt-context.ts';
import type { Target } from '../targets.ts';

/** The end of a log that tells why a JobManager stopped; bytes. */
const LOG_TAIL = 64 * 1024;

/**
 * Asks Kubernetes and, when there is a JobManager to ask, Flink.
 * @throws DispatchError `ClusterUnavailable` when Kubernetes gives no answer: then nothing is known.
 */
export async function observe(at: AttemptContext): Promise<Observation> {
  const { target, ref, deps } = at;
  const { clock } = deps;
  const { kubernetes: seen, rest } = await factsOf(at);
  const worth = logWorthReading(seen, clock.now(), saidOf(rest, at));
  const log = await lastLog(target, ref, seen, worth);
  const kubernetes = log !== undefined && worth?.previous === true ? await asOfLog(at, seen) : seen;
  const leavingLog = await logOfLeaving(at, kubernetes);
  const hasRefusedRight = log === undefined ? undefined : await refusedRightNow(target, ref, log.text);
  return { at: clock.now(), kubernetes, rest, ...defined({ jobManagerLog: log, leavingLog, hasRefusedRight }) };
}

/** No JobManager is started, runs its program and has an answer within it. */
const SHORTEST_START: Duration = 1_000;

/** A JobManager that was started again since Kubernetes was asked tells of another run of the program. */
async function factsOf(at: AttemptContext): Promise<Pick<Observation, 'kubernetes' | 'rest'>> {
  const { target, ref, deps } = at;
  const askedAt = deps.clock.now();
  const kubernetes = await target.cluster.observe(ref);
  const rest = await askJobManager(at, kubernetes);
  const isRecent = deps.clock.now() - askedAt < SHORTEST_START;
  const recovers = at.job.mode === 'session' || hasHighAvailability(at.job.options);
  if (isRecent || rest.state === 'unreachable' || recovers) return { kubernetes, rest };
  const since = await target.cluster.observe(ref);
  const asked = defined({ jobManager: jobManagerIdentity({ kubernetes }) });
  return { kubernetes: isReplaced(asked, since) ? since : kubernetes, rest };
}

/** The log before may be that of a JobManager which stopped since Kubernetes was asked: what it says now goes with it. */
async function asOfLog({ target, ref, job }: AttemptContext, seen: KubernetesFacts): Promise<KubernetesFacts> {
  if (job.mode === 'session') return seen;
  const since = await target.cluster.observe(ref);
  return isReplaced(defined({ jobManager: jobManagerIdentity({ kubernetes: seen }) }), since) ? since : seen;
}

/** A JobManager of high availability leaves its job to the next one, and that of a session has jobs of others. */
async function logOfLeaving(
  { attempt, job, target, ref }: AttemptContext,
  facts: KubernetesFacts,
): Promise<string | undefined> {
  const first = attempt.jobManager ?? firstJobManager(facts);
  const pod = facts.pods.find(({ uid }) => uid === first?.podUid);
  const main = mainContainer(pod);
  if (pod?.deleting !== true || main?.restartCount !== first?.restartCount || hasFixedJobId(job)) return undefined;
  return read(target, ref, { pod: pod.name, container: main?.name ?? '', previous: false });
}

/** The verdict stands without it. */
async function refusedRightNow(
  { cluster }: Target,
  { namespace }: ClusterRef,
  log: string,
): Promise<boolean | undefined> {
  const right = refusedRight(log);
  if (right?.namespace !== namespace) return undefined;
  return cluster.hasRight(right).catch(() => undefined);
}

function saidOf(rest: RestFacts, { run }: AttemptContext): Parameters<typeof logWorthReading>[2] {
  if (rest.state === 'unreachable') return {};
  const root = rest.result?.rootException?.message;
  const hasNoJob = jobsOf({ rest }, run).length === 0;
  return { hasNoJob, mainReturned: rest.main?.state === 'returned', ...defined({ rootException: root }) };
}

async function lastLog(
  target: Target,
  ref: ClusterRef,
  facts: KubernetesFacts,
  log: LogRef | undefined,
): Promise<Observation['jobManagerLog']> {
  if (log === undefined) return undefined;
  const { pod, previous } = log;
  const ended = facts.pods.some((it) => it.name === pod && !isMainRunning(it));
  const asked = await read(target, ref, log);
  // Where the kubelet has no log before, that of the container is the one that counts.
  const current = asked === undefined && previous ? await read(target, ref, { ...log, previous: false }) : undefined;
  const text = asked ?? current;
  // A container that stopped may run again by now, with a new log: that of its end is then the one before.
  const before = ended && !previous ? await read(target, ref, { ...log, previous: true }) : undefined;
  const stopped = ended || (previous && current === undefined);
  const texts = [before, text].filter((it) => it !== undefined);
  return texts.length === 0 ? undefined : { text: texts.join('\n'), stopped };
}

/** A verdict may rest on it: one lost answer is not to make it poorer. */
function read({ cluster }: Target, ref: ClusterRef, { pod, container, previous }: LogRef): Promise<string | undefined> {
  const ask = (): Promise<LogTail> => cluster.tail(ref, pod, { container, bytes: LOG_TAIL, previous });
  return ask()
    .catch(ask)
    .then(({ text }) => text || undefined)
    .catch(() => undefined);
}
