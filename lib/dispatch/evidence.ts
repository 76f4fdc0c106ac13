import { mainContainer } from '../kubernetes/cluster/containers.ts';
import type { PodFacts } from '../kubernetes/cluster/port.ts';
import type { DecisionFacts, RuledVerdict } from '../verdict/decide.ts';
import { logName, logsDue, MAX_LOGS, noteLogs } from '../run/retention/log-keeping.ts';
import { updateAttempt } from '../run/machine.ts';
import { ABORT_DECISION_FILE, DECISION_FILE, decisionEvidence } from '../verdict/decision-evidence.ts';
import type { Observation } from '../verdict/observation.ts';
import type { ActiveRun, Outcome } from '../run/record.ts';
import type { AttemptContext } from './attempt-context.ts';

/** Bytes of a log that are kept: a look at it after success, what it takes to find a cause after anything else. */
const TAIL = { meanwhile: 128 * 1024, success: 64 * 1024, failure: 1024 * 1024 };

interface Artifact {
  readonly name: string;
  readonly contentType: string;
  readonly read: () => Promise<string>;
}

/** One decision: what it rested on, and what it was. */
export interface Decision {
  readonly facts: DecisionFacts;
  readonly verdict: RuledVerdict;
}

/** Keeps logs of a run that goes on, as far as they are due: a TaskManager that Flink releases takes its own with it. */
export async function keepLogs(at: AttemptContext<ActiveRun>, observation: Observation): Promise<ActiveRun> {
  const { run, attempt } = at;
  if (run.state !== 'running') return run;
  const pods = logsDue(attempt, observation.kubernetes.pods, observation.at);
  if (pods.length === 0) return run;
  const artifacts = pods.flatMap((pod) => logs(pod, TAIL.meanwhile, at).slice(0, 1));
  const had = await storeArtifacts(artifacts, at);
  const asked = pods.map(({ name }) => name);
  return updateAttempt(run, noteLogs(attempt, { asked, had }, observation.at));
}

/**
 * Keeps what the verdict rests on, before the cluster can go. Answers the names of all that was kept of the attempt: what
 * cannot be had any more is left out, and never keeps a run from its end.
 */
export async function keepEvidence(
  at: AttemptContext,
  outcome: Outcome,
  { facts, verdict }: Decision,
): Promise<readonly string[]> {
  const { artifacts: before = [] } = at.attempt;
  const bytes = outcome.state === 'succeeded' ? TAIL.success : TAIL.failure;
  const artifacts = [
    ...decisionFiles(facts, verdict),
    ...facts.observation.kubernetes.pods.slice(0, MAX_LOGS).flatMap((pod) => logs(pod, bytes, at)),
  ];
  return [...new Set([...before, ...(await storeArtifacts(artifacts, at))])];
}

/** Keeps why an attempt is given up whose job has to be stopped first. Answers as `keepEvidence` does. */
export async function keepAbortDecision(
  at: AttemptContext<ActiveRun>,
  { facts, verdict }: Decision,
): Promise<readonly string[]> {
  const { artifacts: before = [] } = at.attempt;
  const kept = await storeArtifacts([json(ABORT_DECISION_FILE, decisionEvidence(facts, verdict))], at);
  return [...new Set([...before, ...kept])];
}

async function storeArtifacts(
  artifacts: readonly Artifact[],
  { run: { runId }, attempt: { number }, deps }: AttemptContext,
): Promise<readonly string[]> {
  const kept = await Promise.all(
    artifacts.map(async ({ name, contentType, read }) => {
      try {
        const content = await read();
        if (content === '') return undefined;
        await deps.evidence.put(runId, number, name, content, contentType);
        return name;
      } catch (error) {
        deps.log.warn('evidence was not kept', { runId, name, error });
        return undefined;
      }
    }),
  );
  return kept.filter((name) => name !== undefined);
}

function decisionFiles(facts: DecisionFacts, verdict: RuledVerdict): Artifact[] {
  const { observation } = facts;
  const rest =
    observation.rest.state === 'answered'
      ? [json('rest.json', { overview: observation.rest.facts, answers: observation.rest.result?.answers ?? {} })]
      : [];
  return [
    json(DECISION_FILE, decisionEvidence(facts, verdict)),
    json('kubernetes.json', observation.kubernetes),
    ...rest,
  ];
}

function json(name: string, value: unknown): Artifact {
  return { name, contentType: 'application/json', read: () => Promise.resolve(JSON.stringify(value, null, 1)) };
}

function logs(pod: PodFacts, bytes: number, { ref, target }: AttemptContext): Artifact[] {
  const main = mainContainer(pod);
  if (main === undefined) return [];
  const log = (name: string, previous: boolean): Artifact => ({
    name,
    contentType: 'text/plain; charset=utf-8',
    read: async () => (await target.cluster.tail(ref, pod.name, { container: main.name, bytes, previous })).text,
  });
  return [log(logName(pod.name), false), ...(main.restartCount > 0 ? [log(`${pod.name}.previous.log`, true)] : [])];
}
