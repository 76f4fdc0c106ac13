import { describeError } from '../core/errors.ts';
import type { PodFacts } from '../cluster/port.ts';
import { logName, logsDue, MAX_LOGS, noteLogs } from '../run/log-keeping.ts';
import { requireAttempt, updateAttempt } from '../run/machine.ts';
import type { Observation } from '../run/observation.ts';
import type { Outcome, RunRecord } from '../run/record.ts';
import type { DispatchDeps } from './deps.ts';
import { clusterOf } from './job-of.ts';
import type { Target } from './targets.ts';

/** Bytes of a log that are kept: a look at it after success, what it takes to find a cause after anything else. */
const TAIL = { meanwhile: 128 * 1024, success: 64 * 1024, failure: 1024 * 1024 };

interface Artifact {
  readonly name: string;
  readonly contentType: string;
  readonly read: () => Promise<string>;
}

/** Keeps logs of a run that goes on, as far as they are due: a TaskManager that Flink releases takes its own with it. */
export async function keepLogs(
  record: RunRecord,
  seen: Observation,
  target: Target,
  deps: DispatchDeps,
): Promise<RunRecord> {
  const attempt = requireAttempt(record);
  if (record.state !== 'running') return record;
  const pods = logsDue(attempt, seen.kubernetes.pods, seen.at);
  if (pods.length === 0) return record;
  const artifacts = pods.flatMap((pod) => logs(pod, TAIL.meanwhile, record, target).slice(0, 1));
  const had = await keep(artifacts, record, deps);
  const asked = pods.map(({ name }) => name);
  return updateAttempt(record, noteLogs(attempt, { asked, had }, seen.at));
}

/**
 * Keeps what the verdict rests on, before the cluster can go. Answers the names of all that was kept of the attempt: what
 * cannot be had any more is left out, and never keeps a run from its end.
 */
export async function keepEvidence(
  record: RunRecord,
  outcome: Outcome,
  seen: Observation,
  target: Target,
  deps: DispatchDeps,
): Promise<readonly string[]> {
  const { artifacts: before = [] } = requireAttempt(record);
  const bytes = outcome.state === 'succeeded' ? TAIL.success : TAIL.failure;
  const artifacts = [
    ...facts(seen),
    ...seen.kubernetes.pods.slice(0, MAX_LOGS).flatMap((pod) => logs(pod, bytes, record, target)),
  ];
  return [...new Set([...before, ...(await keep(artifacts, record, deps))])];
}

async function keep(artifacts: readonly Artifact[], record: RunRecord, deps: DispatchDeps): Promise<readonly string[]> {
  const { number } = requireAttempt(record);
  const kept = await Promise.all(
    artifacts.map(async ({ name, contentType, read }) => {
      try {
        const content = await read();
        if (content === '') return undefined;
        await deps.evidence.put(record.runId, number, name, content, contentType);
        return name;
      } catch (error) {
        deps.log.warn('evidence was not kept', { runId: record.runId, name, error: describeError(error) });
        return undefined;
      }
    }),
  );
  return kept.filter((name) => name !== undefined);
}

function facts(seen: Observation): Artifact[] {
  const json = (name: string, value: unknown): Artifact => ({
    name,
    contentType: 'application/json',
    read: () => Promise.resolve(JSON.stringify(value, null, 1)),
  });
  const rest =
    seen.rest.state === 'answered'
      ? [json('rest.json', { overview: seen.rest.facts, answers: seen.rest.result?.answers ?? {} })]
      : [];
  return [json('kubernetes.json', seen.kubernetes), ...rest];
}

function logs(pod: PodFacts, bytes: number, record: RunRecord, target: Target): Artifact[] {
  const ref = clusterOf(record);
  const main = pod.containers.find(({ init }) => !init);
  if (main === undefined) return [];
  const log = (name: string, previous: boolean): Artifact => ({
    name,
    contentType: 'text/plain; charset=utf-8',
    read: async () => (await target.logs.tail(ref, pod.name, { container: main.name, bytes, previous })).text,
  });
  return [log(logName(pod.name), false), ...(main.restartCount > 0 ? [log(`${pod.name}.previous.log`, true)] : [])];
}
