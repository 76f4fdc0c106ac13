import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { logWorthReading, type LogRef } from '../cluster/last-log.ts';
import type { ClusterRef, KubernetesFacts, LogTail } from '../cluster/port.ts';
import { isTerminal } from '../flink/job-state.ts';
import type { JobManager } from '../flink/job-manager.ts';
import type { Observation, RestFacts } from '../run/observation.ts';
import { jobManagerRuns } from '../run/verdict.ts';
import type { Target } from './targets.ts';

/** The end of a log that tells why a JobManager stopped; bytes. */
const LOG_TAIL = 64 * 1024;

/**
 * Asks Kubernetes and, when there is a JobManager to ask, Flink.
 * @throws DispatchError `ClusterUnavailable` when Kubernetes gives no answer: then nothing is known.
 */
export async function observe(target: Target, ref: ClusterRef, jobId: string, clock: Clock): Promise<Observation> {
  const kubernetes = await target.clusters.observe(ref);
  const rest = await askJobManager(target, ref, kubernetes, jobId);
  const log = await lastLog(target, ref, kubernetes, logWorthReading(kubernetes, clock.now(), saidOf(rest, jobId)));
  return { at: clock.now(), kubernetes, rest, ...(log === undefined ? {} : { jobManagerLog: log }) };
}

function saidOf(rest: RestFacts, jobId: string): Parameters<typeof logWorthReading>[2] {
  if (rest.state === 'silent') return {};
  const root = rest.result?.rootException?.message;
  const hasNoJob = !rest.facts.jobs.some(({ id }) => id === jobId);
  return { hasNoJob, ...(root === undefined ? {} : { rootException: root }) };
}

async function askJobManager(
  target: Target,
  ref: ClusterRef,
  facts: KubernetesFacts,
  jobId: string,
): Promise<RestFacts> {
  if (!jobManagerRuns(facts)) return { state: 'silent', error: 'no JobManager runs' };
  const jobManager = target.jobManager(ref);
  try {
    const answer = await jobManager.look();
    const ended = answer.jobs.some((job) => job.id === jobId && isTerminal(job.state));
    const failed = answer.applications?.some(({ status }) => status === 'FAILED') ?? false;
    const result = ended || failed ? await readResult(jobManager, jobId) : undefined;
    return { state: 'answered', facts: answer, ...(result === undefined ? {} : { result }) };
  } catch (error) {
    return { state: 'silent', error: describeError(error) };
  }
}

/** The verdict stands without it: an application that failed before its job has no job to ask for. */
async function readResult(jobManager: JobManager, jobId: string): ReturnType<JobManager['result']> {
  return jobManager.result(jobId).catch(() => ({ answers: {} }));
}

function isRunning(container: { readonly init: boolean; readonly state: string }): boolean {
  return !container.init && container.state === 'running';
}

async function lastLog(
  target: Target,
  ref: ClusterRef,
  facts: KubernetesFacts,
  log: LogRef | undefined,
): Promise<Observation['jobManagerLog']> {
  if (log === undefined) return undefined;
  const { container, pod, previous } = log;
  const stopped = previous || facts.pods.some(({ name, containers }) => name === pod && !containers.some(isRunning));
  const read = async (before: boolean): Promise<string | undefined> => {
    const ask = (): Promise<LogTail> => target.logs.tail(ref, pod, { container, bytes: LOG_TAIL, previous: before });
    // A verdict may rest on it: one lost answer is not to make it poorer.
    return ask()
      .catch(ask)
      .then(({ text }) => text || undefined)
      .catch(() => undefined);
  };
  const text = await read(previous);
  // A container that stopped may run again by now, with a new log: that of its end is then the one before.
  const before = stopped && !previous ? await read(true) : undefined;
  const texts = [before, text].filter((it) => it !== undefined);
  return texts.length === 0 ? undefined : { text: texts.join('\n'), stopped };
}
