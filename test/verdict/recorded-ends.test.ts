import { readFileSync } from 'node:fs';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { podFacts } from '../../lib/kubernetes/cluster/facts.ts';
import { findFailure } from '../../lib/diagnosis/findings.ts';
import type { EventFacts, KubernetesFacts } from '../../lib/kubernetes/cluster/port.ts';
import { isJobId, type JobId } from '../../lib/core/ids.ts';
import { createClusterInspection } from '../../lib/flink/rest/inspection.ts';
import { createJobManager } from '../../lib/flink/rest/job-manager.ts';
import { decide } from '../../lib/verdict/decide.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import type { ActiveRun, RunRecord } from '../../lib/run/record.ts';
import { recordedTransport } from '../flink/rest/recorded.ts';
import { withOptions } from './any-case.ts';
import { jobManagerPod, kubernetes, runIn, UNREACHABLE } from './observations.ts';

const ROOT = new URL('../fixtures/flink/rest/', import.meta.url);
const RECORDED = Date.parse('2026-11-21T04:00:00Z');
const VERSIONS = ['2.3.0', '1.20.0'];
const ENDS = ['finished', 'failed', 'canceled', 'running'] as const;
const NEVER_RAN = ['main-class-missing', 'jar-missing', 'image-missing'] as const;

function jobIdIn(text: string | undefined): JobId {
  if (text === undefined || !isJobId(text)) throw new Error(`no job id: ${text ?? ''}`);
  return text;
}

function read(version: string, state: string, file: string): string {
  return readFileSync(new URL(`${version}/${state}/${file}`, ROOT), 'utf8');
}

function recordOf(state: 'starting' | 'running', id?: JobId): ActiveRun {
  const record = runIn(state, 0);
  const own = { launchedAt: RECORDED, mainReturnedAt: RECORDED - 600_000, ...(id === undefined ? {} : { jobId: id }) };
  return { ...record, attempts: [{ ...record.attempts[0], ...own }] };
}

function factsOf(version: string, state: string, record: RunRecord): KubernetesFacts {
  const { items } = JSON.parse(read(version, state, 'pods.json')) as { items: readonly V1Pod[] };
  const pods = items.flatMap((pod) => podFacts(pod) ?? []);
  const slim = JSON.parse(read(version, state, 'events.json')) as readonly Omit<EventFacts, 'object'>[];
  const events = slim.map((event) => ({ ...event, object: `Pod/${pods[0]?.name ?? ''}`, count: event.count ?? 1 }));
  return kubernetes(record, { pods, events });
}

/** When all of it had happened. */
function after({ pods }: KubernetesFacts): number {
  return Math.max(...pods.map(({ createdAt }) => createdAt)) + 60_000;
}

async function recordedRest(version: string, state: string): Promise<{ rest: RestFacts; jobId: JobId }> {
  const jobManager = createJobManager(recordedTransport(version, state));
  const facts = await jobManager.overview();
  const jobId = jobIdIn(facts.jobs[0]?.id);
  return { rest: { state: 'answered', facts, result: await jobManager.result(jobId) }, jobId };
}

describe.each(VERSIONS)('what a real run of Flink %s left is judged', (version) => {
  it.each([
    ['finished', { kind: 'ended', outcome: { state: 'succeeded', reason: 'JobFinished' } }],
    ['canceled', { kind: 'ended', outcome: { state: 'canceled', reason: 'JobCanceled' } }],
    ['failed', { kind: 'ended', outcome: { state: 'failed', reason: 'JobFailed' } }],
    ['running', { kind: 'wait', unreachable: false }],
  ] as const)('%s, by what its JobManager answers', async (state, verdict) => {
    const { rest: answered, jobId } = await recordedRest(version, state);
    const record = recordOf('starting', jobId);
    const facts = factsOf(version, state, record);
    const text = read(version, state, 'jobmanager.txt');
    // Before 2.3 Flink lists no applications: main() is on no stack, and the log tells how it ended.
    const rest = { ...answered, ...(state === 'running' ? {} : { main: { state: 'returned' as const } }) } as RestFacts;
    const seen: Observation = { at: after(facts), kubernetes: facts, rest, jobManagerLog: { text, stopped: false } };
    const judged = decide(seen, record, after(facts));
    expect(judged).toMatchObject(verdict);
    if (judged.kind === 'wait') return;
    const { status } = JSON.parse(read(version, state, 'job_status.json')) as { status: string };
    expect(judged.outcome.flinkState).toBe(status);
    if (state === 'failed') expect(judged.outcome.rootException).toContain('does not exist');
  });

  it('finished, by the last words of a JobManager that is gone; and not where they say nothing', () => {
    const log = read(version, 'finished', 'jobmanager.txt');
    const id = jobIdIn(/Job ([0-9a-f]{32}) reached terminal state/.exec(log)?.[1]);
    const record = recordOf('running', id);
    const gone = jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 137 });
    const of = (text: string, run = record) => {
      const facts = kubernetes(run, { pods: [gone] });
      const seen = { at: 0, kubernetes: facts, rest: UNREACHABLE, jobManagerLog: { text, stopped: true } };
      return decide(seen, run, after(facts));
    };
    const ended = { kind: 'ended', outcome: { state: 'succeeded', reason: 'JobFinished', flinkState: 'FINISHED' } };
    expect(of(log)).toMatchObject(ended);
    const lines = log.split('\n');
    const alone = (words: string): string => lines.filter((line) => line.includes(words)).join('\n');
    const ha = withOptions(record, { 'high-availability.type': 'kubernetes' });
    for (const words of [`(${id}) switched from state RUNNING to FINISHED`, `${id} reached terminal state`]) {
      expect(of(alone(words), ha)).toMatchObject(ended);
      // main() may have had more to do.
      expect(of(alone(words))).toMatchObject({ kind: 'ended', outcome: { state: 'unknown', jobs: [{ id }] } });
    }
    // The job went on: it is the JobManager that failed, and another attempt may follow.
    expect(of(read(version, 'running', 'jobmanager.txt'))).toMatchObject({ kind: 'failed' });
  });

  it.each([
    ['main-class-missing', 'MainClassMissing'],
    ['jar-missing', 'JarMissingInCluster'],
    ['image-missing', 'ImagePullFailed'],
  ] as const)('%s, by pods, events and log', (state, reason) => {
    const record = recordOf('starting');
    const facts = factsOf(version, state, record);
    const text = read(version, state, 'jobmanager.txt');
    const seen = { at: 0, kubernetes: facts, rest: UNREACHABLE, jobManagerLog: { text, stopped: true } };
    expect(decide(seen, record, after(facts))).toMatchObject({ kind: 'failed', outcome: { state: 'failed', reason } });
  });

  it.each(ENDS)('%s names no failure of Kubernetes', (state) => {
    const facts = factsOf(version, state, recordOf('running'));
    expect(findFailure(facts, after(facts))?.certainty).not.toBe('final');
  });

  it.each(ENDS)('%s is told alike by all answers', async (state) => {
    const inspection = createClusterInspection(recordedTransport(version, state));
    const { facts } = (await recordedRest(version, state)).rest as Extract<RestFacts, { state: 'answered' }>;
    const [pod] = factsOf(version, state, recordOf('running')).pods;
    expect(await inspection.taskManagers()).toHaveLength(facts.taskManagers);
    expect(pod?.name.startsWith((await inspection.configuration())['kubernetes.cluster-id'] ?? '-')).toBe(true);
    expect(JSON.parse(read(version, state, 'config.json'))).toMatchObject({ 'flink-version': facts.flinkVersion });
  });

  it('has a recording of every state', () => {
    for (const state of [...ENDS, ...NEVER_RAN]) expect(read(version, state, 'jobmanager.txt')).not.toBe('');
  });
});
