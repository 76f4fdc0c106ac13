import { runId } from '../fakes/ids.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RootException } from '../../lib/flink/job-manager.ts';
import type { KubernetesFacts } from '../../lib/kubernetes/cluster/port.ts';
import { JOB_STATE_NAMES, isTerminal } from '../../lib/flink/job-state.ts';
import { QUOTA_PATIENCE, RECOVERY_GRACE } from '../../lib/verdict/application-rules.ts';
import { decide } from '../../lib/verdict/decide.ts';
import { CANCEL_GRACE } from '../../lib/verdict/shared-rules.ts';
import { end, updateAttempt } from '../../lib/run/machine.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import { GATE_LIMIT, SILENCE_LIMIT } from '../../lib/verdict/deadlines.ts';
import type { Outcome, ActiveRun } from '../../lib/run/record.ts';
import { ABSENT, anyCase, anyRecord, asked, finished, REFUSED, RUN, START, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

const crashed = jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 1 });

function goingOf(record: ActiveRun): KubernetesFacts {
  const facts = kubernetes(record);
  const { deployment } = facts;
  return { ...facts, deployment: deployment.state === 'absent' ? deployment : { ...deployment, deleting: true } };
}

const starting = runIn('starting', 5000);
const running = runIn('running', 5000);
const streaming = withOptions(running, {}, 'streaming');
const withHa = withOptions(running, { 'high-availability.type': 'kubernetes' });
const log = (text: string, stopped = true): Pick<Observation, 'jobManagerLog'> => ({
  jobManagerLog: { text, stopped },
});
const jobId = running.attempts[0]?.jobId ?? '';
const stillRan = `2026-11-21 INFO org.apache.flink.runtime.X [] - Job x (${jobId}) switched from state CREATED to RUNNING.`;
/** What is left of a JobManager that may not start again. */
const heldBack = jobManagerPod(
  { ready: false },
  { state: 'waiting', reason: 'CreateContainerConfigError', last: { reason: 'Error', exitCode: 137 } },
);
const restarted = (restartCount: number) => ({
  pods: [jobManagerPod({}, { restartCount, last: { reason: 'Error' } })],
});
const killed = (times: number): string =>
  'Worker x-taskmanager-1-1 is terminated. Diagnostics: Pod terminated, reason=OOMKilled\n'.repeat(times);
const OVER_QUOTA = 'pods "x-taskmanager-1-1" is forbidden: exceeded quota: pods, requested: pods=1';
const withRoot = (rest: RestFacts, rootException: RootException): RestFacts =>
  rest.state === 'answered' ? { ...rest, result: { answers: {}, rootException } } : rest;
const MAIN_FAILED = {
  message: 'java.lang.IllegalStateException: no',
  stackTrace: 'org.apache.flink.client.program.ProgramInvocationException: The main method caused an error: no',
};
const evicted = jobManagerPod(
  { phase: 'Failed', ready: false, reason: 'Evicted', createdAt: NOW - 2000 },
  { state: 'terminated', reason: 'Error', exitCode: 137 },
);
const another = { pods: [jobManagerPod({ uid: 'another' })] };

const GATED = jobManagerPod({ phase: 'Pending', ready: false, gates: 'kueue.x-k8s.io/admission', containers: [] });
const gatedFor = (age: number): ActiveRun =>
  updateAttempt(runIn('starting', age), { gate: { since: NOW - age, before: 0, message: 'pod c-x waits' } });

type Expected = readonly [kind: 'wait' | 'failed' | 'ended', state?: Outcome['state'], reason?: string];

const TABLE: readonly (readonly [string, ActiveRun, Observation, Expected])[] = [
  ['REST is silent while it starts', starting, look(starting, UNREACHABLE), ['wait']],
  ['there is no job yet', starting, look(starting, answered([])), ['wait']],
  ['its job runs', starting, look(starting, answered([jobOf(starting)])), ['wait']],
  [
    'its job finished',
    running,
    look(running, answered([jobOf(running, { state: 'FINISHED' })])),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'its job failed',
    running,
    look(running, answered([jobOf(running, { state: 'FAILED' })])),
    ['ended', 'failed', 'JobFailed'],
  ],
  [
    'its job was canceled',
    running,
    look(running, answered([jobOf(running, { state: 'CANCELED' })])),
    ['ended', 'canceled', 'JobCanceled'],
  ],
  [
    'another job finished',
    running,
    look(running, answered([jobOf(running), jobOf(running, { id: 'f'.repeat(32), state: 'FINISHED' })])),
    ['wait'],
  ],
  ['its job is suspended', running, look(running, answered([jobOf(running, { state: 'SUSPENDED' })])), ['wait']],
  [
    'its job is in a state of a newer Flink',
    running,
    look(running, answered([jobOf(running, { state: 'UNKNOWN' })])),
    ['wait'],
  ],
  [
    'main() failed before a job',
    starting,
    look(starting, answered([], { applications: [{ id: 'a', name: 'a', status: 'FAILED' }] })),
    ['ended', 'failed', 'ApplicationFailed'],
  ],
  [
    'main() returned without a job',
    starting,
    look(starting, answered([], { applications: [{ id: 'a', name: 'a', status: 'FINISHED' }] })),
    ['ended', 'failed', 'ApplicationFailed'],
  ],
  [
    'its cluster is gone before its job was seen',
    starting,
    look(starting, UNREACHABLE, { kubernetes: ABSENT }),
    ['ended', 'unknown', 'ClusterDeleted'],
  ],
  [
    'its cluster is gone while a batch job ran',
    running,
    look(running, UNREACHABLE, { kubernetes: ABSENT }),
    ['ended', 'unknown', 'ClusterDeleted'],
  ],
  [
    'its cluster is on its way out while a batch job ran',
    running,
    look(running, answered([jobOf(running)]), { kubernetes: goingOf(running) }),
    ['ended', 'unknown', 'ClusterDeleted'],
  ],
  [
    'its cluster is on its way out, and the job finished before',
    running,
    look(running, answered([jobOf(running, { state: 'FINISHED' })]), { kubernetes: goingOf(running) }),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'its cluster is gone while a streaming job ran',
    streaming,
    look(streaming, UNREACHABLE, { kubernetes: ABSENT }),
    ['failed', 'failed', 'ClusterDeleted'],
  ],
  [
    'its cluster is gone and it was to be canceled',
    { ...running, cancelRequested: asked },
    look(running, UNREACHABLE, { kubernetes: ABSENT }),
    ['ended', 'canceled', 'JobCanceled'],
  ],
  [
    'its cluster belongs to another run',
    starting,
    look(starting, UNREACHABLE, {
      kubernetes: kubernetes({ ...starting, runId: runId('f'.repeat(20)) }),
    }),
    ['ended', 'unknown', 'ClusterDeleted'],
  ],
  [
    'its JobManager exits, and its log tells of no job',
    starting,
    look(starting, UNREACHABLE, {
      kubernetes: kubernetes(starting, { pods: [crashed] }),
      ...log('INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint - Starting'),
    }),
    ['failed', 'failed', 'JobManagerCrashed'],
  ],
  [
    'its JobManager exits, and there is no log',
    starting,
    look(starting, UNREACHABLE, { kubernetes: kubernetes(starting, { pods: [crashed] }) }),
    ['ended', 'unknown', 'JobManagerCrashed'],
  ],
  [
    'its JobManager exits and its log names the cause',
    starting,
    look(starting, UNREACHABLE, {
      kubernetes: kubernetes(starting, { pods: [crashed] }),
      ...log("The program's entry point class 'a.B' was not found in the jar file"),
    }),
    ['failed', 'failed', 'MainClassMissing'],
  ],
  [
    'its JobManager exits and its last words were the end',
    running,
    look(running, UNREACHABLE, { kubernetes: kubernetes(running, { pods: [crashed] }), ...log(finished) }),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'its JobManager died after the end, may not start again, and its log has the end',
    running,
    look(running, UNREACHABLE, { kubernetes: kubernetes(running, { pods: [heldBack] }), ...log(finished) }),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'its JobManager died, and its log tells that the job still ran',
    running,
    look(running, UNREACHABLE, { kubernetes: kubernetes(running, { pods: [heldBack] }), ...log(stillRan) }),
    ['failed', 'failed', 'JobManagerCrashed'],
  ],
  [
    'its JobManager died, and its log tells nothing of the job',
    running,
    look(running, UNREACHABLE, { kubernetes: kubernetes(running, { pods: [heldBack] }), ...log('hello') }),
    ['ended', 'unknown', 'JobManagerCrashed'],
  ],
  [
    'its JobManager died, and there is no log',
    running,
    look(running, UNREACHABLE, { kubernetes: kubernetes(running, { pods: [heldBack] }) }),
    ['ended', 'unknown', 'JobManagerCrashed'],
  ],
  [
    'its JobManager restarted, and the second one finished the job anew',
    running,
    look(running, answered([jobOf(running, { state: 'FINISHED' })]), { kubernetes: kubernetes(running, restarted(1)) }),
    ['ended', 'unknown', 'JobLost'],
  ],
  [
    'its JobManager restarted, and the first one had finished the job',
    running,
    look(running, answered([jobOf(running)]), { kubernetes: kubernetes(running, restarted(1)), ...log(finished) }),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'its JobManager restarted twice, and the second one had finished the job',
    running,
    look(running, answered([jobOf(running)]), { kubernetes: kubernetes(running, restarted(2)), ...log(finished) }),
    ['ended', 'unknown', 'JobLost'],
  ],
  [
    'its job stands for a main() that failed',
    starting,
    look(starting, withRoot(answered([jobOf(starting, { state: 'FAILED', tasks: {} })]), MAIN_FAILED)),
    ['ended', 'failed', 'ApplicationFailed'],
  ],
  [
    'an exception is in the log of a JobManager that goes on',
    starting,
    look(starting, UNREACHABLE, log('java.net.ConnectException: refused', false)),
    ['wait'],
  ],
  [
    'a TaskManager was killed for its memory, once',
    starting,
    look(starting, answered([jobOf(starting, { tasks: {} })]), log(killed(1), false)),
    ['wait'],
  ],
  [
    'TaskManagers are killed for their memory, one after another',
    starting,
    look(starting, answered([jobOf(starting, { tasks: {} })]), log(killed(2), false)),
    ['failed', 'failed', 'TaskManagerOutOfMemory'],
  ],
  [
    "the namespace's quota lets no TaskManager in",
    starting,
    look(starting, answered([jobOf(starting, { tasks: {} })]), log(OVER_QUOTA, false)),
    ['wait'],
  ],
  [
    "the namespace's quota has let no TaskManager in for long",
    runIn('starting', QUOTA_PATIENCE),
    look(starting, answered([jobOf(starting, { tasks: {} })]), log(OVER_QUOTA, false)),
    ['failed', 'failed', 'QuotaExceeded'],
  ],
  [
    'a second JobManager was there before any look, and no log tells of the first one',
    starting,
    look(starting, answered([jobOf(starting, { state: 'FINISHED' })]), {
      kubernetes: kubernetes(starting, restarted(1)),
    }),
    ['ended', 'unknown', 'JobManagerCrashed'],
  ],
  [
    'its JobManager was replaced before its job was seen to run',
    {
      ...starting,
      attempts: [{ ...starting.attempts[0], jobManager: { podUid: 'jm', restartCount: 0 } }],
    },
    look(starting, answered([jobOf(starting)]), { kubernetes: kubernetes(starting, another) }),
    ['ended', 'unknown', 'JobLost'],
  ],
  [
    'its JobManager with high availability died after the end, and its log has the end',
    withHa,
    look(withHa, answered([]), { kubernetes: kubernetes(withHa, restarted(1)), ...log(finished) }),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'its cluster was made anew by someone else, with our marks on it',
    { ...running, attempts: [{ ...running.attempts[0], deploymentUid: 'first' }] },
    look(running, UNREACHABLE),
    ['ended', 'unknown', 'ClusterDeleted'],
  ],
  [
    'the log of a JobManager that runs tells of the end',
    running,
    look(running, UNREACHABLE, log(finished, false)),
    ['wait'],
  ],
  [
    'its JobManager exits and high availability takes the job on',
    withHa,
    look(withHa, UNREACHABLE, { kubernetes: kubernetes(withHa, { pods: [crashed] }) }),
    ['wait'],
  ],
  [
    'another JobManager runs main() again',
    running,
    look(running, answered([jobOf(running)]), { kubernetes: kubernetes(running, another) }),
    ['ended', 'unknown', 'JobLost'],
  ],
  [
    'another JobManager finished what the first had begun',
    running,
    look(running, answered([jobOf(running, { state: 'FINISHED' })]), { kubernetes: kubernetes(running, another) }),
    ['ended', 'unknown', 'JobLost'],
  ],
  [
    'another JobManager runs a streaming job',
    streaming,
    look(streaming, UNREACHABLE, { kubernetes: kubernetes(streaming, another) }),
    ['failed', 'failed', 'JobLost'],
  ],
  [
    'another JobManager recovers the job',
    withHa,
    look(withHa, answered([jobOf(withHa)]), { kubernetes: kubernetes(withHa, another) }),
    ['wait'],
  ],
  ['its JobManager no longer knows the job', running, look(running, answered([])), ['ended', 'unknown', 'JobLost']],
  [
    'its JobManager recovers, and has no job yet',
    { ...withHa, unreachableSince: NOW - RECOVERY_GRACE + 1 },
    look(withHa, answered([])),
    ['wait'],
  ],
  [
    'its JobManager did not recover the job',
    { ...withHa, unreachableSince: NOW - RECOVERY_GRACE },
    look(withHa, answered([])),
    ['ended', 'unknown', 'JobLost'],
  ],
  [
    'Flink may not make TaskManagers',
    starting,
    look(
      starting,
      answered([]),
      log(
        'pods is forbidden: User "system:serviceaccount:flink:default" cannot create resource "pods" in API group',
        false,
      ),
    ),
    ['failed', 'failed', 'ServiceAccountForbidden'],
  ],
  [
    'Flink was refused TaskManagers, and may make them by now',
    starting,
    look(starting, answered([]), { ...log(REFUSED, false), hasRefusedRight: true }),
    ['wait'],
  ],
  [
    'its JobManager died of a right that it lacks',
    starting,
    look(starting, UNREACHABLE, {
      ...{ kubernetes: kubernetes(starting, { pods: [crashed] }), ...log(REFUSED), hasRefusedRight: false },
    }),
    ['failed', 'failed', 'ServiceAccountForbidden'],
  ],
  [
    'its JobManager died of a right that it lacked',
    starting,
    look(starting, UNREACHABLE, {
      ...{ kubernetes: kubernetes(starting, { pods: [crashed] }), ...log(REFUSED), hasRefusedRight: true },
    }),
    ['failed', 'failed', 'JobManagerCrashed'],
  ],
  [
    'it was canceled a moment ago',
    { ...running, cancelRequested: asked },
    look(running, answered([jobOf(running)])),
    ['wait'],
  ],
  [
    'it was canceled and does not stop',
    { ...running, cancelRequested: { ...asked, at: NOW - CANCEL_GRACE } },
    look(running, answered([jobOf(running)])),
    ['ended', 'canceled', 'JobCanceled'],
  ],
  [
    'it did not start in time and there is no pod',
    runIn('starting', START),
    look(starting, UNREACHABLE, { kubernetes: kubernetes(starting, { pods: [] }) }),
    ['failed', 'failed', 'StartDeadlineExceeded'],
  ],
  [
    'it did not start in time and REST alone is silent',
    runIn('starting', START),
    look(starting, UNREACHABLE),
    ['ended', 'unknown', 'RestUnreachable'],
  ],
  [
    'it did not start in time because of something that was only suspected',
    runIn('starting', START),
    look(starting, UNREACHABLE, {
      kubernetes: kubernetes(starting, {
        pods: [jobManagerPod({ ready: false, unschedulable: '0/1 nodes' }, { state: 'waiting' })],
      }),
    }),
    ['failed', 'failed', 'PodUnschedulable'],
  ],
  [
    'a scheduling gate has been shut for the time in which it had to start',
    gatedFor(START + 5_000),
    look(starting, UNREACHABLE, { kubernetes: kubernetes(starting, { pods: [GATED] }) }),
    ['wait'],
  ],
  [
    'a scheduling gate has been shut for a week',
    gatedFor(GATE_LIMIT),
    look(starting, UNREACHABLE, { kubernetes: kubernetes(starting, { pods: [GATED] }) }),
    ['failed', 'failed', 'PodGated'],
  ],
  [
    'it did not start in time, and an earlier JobManager was evicted that may have had its end',
    withOptions(runIn('starting', START), { 'high-availability.type': 'kubernetes' }),
    look(starting, answered([]), {
      kubernetes: kubernetes(starting, { pods: [evicted, ...another.pods] }),
      ...log(stillRan, false),
    }),
    ['ended', 'unknown', 'PodEvicted'],
  ],
  [
    'high availability brings a JobManager back after the end of the job',
    withHa,
    look(
      withHa,
      answered([jobOf(withHa, { state: 'FINISHED', endTime: NOW - 100, tasks: {} })], {
        applications: [{ id: 'a', name: 'main', status: 'FAILED' }],
      }),
      { kubernetes: kubernetes(withHa, restarted(1)) },
    ),
    ['ended', 'succeeded', 'JobFinished'],
  ],
  [
    'it still runs after its deadline',
    runIn('running', RUN),
    look(running, answered([jobOf(running)])),
    ['ended', 'failed', 'RunDeadlineExceeded'],
  ],
  [
    'REST is silent for a while',
    { ...running, unreachableSince: NOW - SILENCE_LIMIT + 1 },
    look(running, UNREACHABLE),
    ['wait'],
  ],
  [
    'REST is silent for too long',
    { ...running, unreachableSince: NOW - SILENCE_LIMIT },
    look(running, UNREACHABLE),
    ['ended', 'unknown', 'RestUnreachable'],
  ],
];

describe('the verdict when', () => {
  it.each(TABLE)('%s', (_name, record, seen, [kind, state, reason]) => {
    const verdict = decide(seen, record, NOW);
    expect(verdict.kind).toBe(kind);
    if (verdict.kind !== 'wait') expect(verdict.outcome).toMatchObject({ state, reason });
  });

  it('a task runs is that the job runs, on this JobManager', () => {
    const of = (tasks: Record<string, number>) =>
      decide(look(starting, answered([jobOf(starting, { tasks })])), starting, NOW);
    expect(of({ SCHEDULED: 1 })).not.toHaveProperty('running');
    expect(of({ RUNNING: 1 })).toMatchObject({
      running: { at: NOW - 500, jobManager: { podUid: 'jm', restartCount: 0 } },
    });
  });

  it('a job ended between two looks is that it had run', () => {
    const seen = look(starting, answered([jobOf(starting, { state: 'FINISHED', endTime: NOW - 100 })]));
    expect(decide(seen, starting, NOW)).toMatchObject({ running: { at: NOW - 500 }, outcome: { at: NOW - 100 } });
  });

  it('a TaskManager ran out of memory is that, where the job failed of it', () => {
    const pod = jobManagerPod(
      { name: 'c-taskmanager-1-1', component: 'taskmanager', ready: false },
      { state: 'terminated', reason: 'OOMKilled', exitCode: 137 },
    );
    const facts = kubernetes(running, { pods: [jobManagerPod(), pod] });
    const seen = look(running, answered([jobOf(running, { state: 'FAILED' })]), { kubernetes: facts });
    expect(decide(seen, running, NOW)).toMatchObject({ kind: 'ended', outcome: { reason: 'TaskManagerOutOfMemory' } });
  });
});

it('names the kill of a JobManager that was killed, not an exception that it had survived', () => {
  const killed = jobManagerPod({}, { state: 'terminated', reason: 'Error', exitCode: 137, ready: false });
  const survived = `${stillRan}\n2026-11-21 ERROR org.apache.flink.X [] - no\norg.apache.flink.RpcConnectionException: early`;
  const verdict = decide(
    look(running, UNREACHABLE, { kubernetes: kubernetes(running, { pods: [killed] }), ...log(survived) }),
    running,
    NOW,
  );
  expect(verdict).toMatchObject({ kind: 'failed', outcome: { reason: 'JobManagerCrashed' } });
  expect(verdict).toHaveProperty('outcome.message', expect.stringContaining('exit code 137'));
});

describe('a job that lost its TaskManagers names why', () => {
  const GONE =
    'org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id x-taskmanager-1-1 is no longer reachable.';
  const NEVER_CAME =
    'org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire the minimum required resources.';
  const evicted = jobManagerPod({
    ...{ name: 'x-taskmanager-1-1', component: 'taskmanager' as const, phase: 'Failed', reason: 'Evicted' },
    ready: false,
  });
  const nowhere = jobManagerPod({
    ...{ name: 'x-taskmanager-1-1', component: 'taskmanager' as const, phase: 'Pending', unschedulable: '0/1 nodes' },
    ...{ ready: false, containers: [] },
  });
  const worker = (how: string): string => `Worker x-taskmanager-1-1 is terminated. Diagnostics: ${how}\n`;

  it.each([
    ['by its pod', [GONE, [evicted], ''], ['PodEvicted', 'Evicted']],
    [
      'by the log',
      [GONE, [], worker('Pod terminated, [flink-main-container(exitCode=137, reason=OOMKilled)]')],
      ['TaskManagerOutOfMemory', 'OOMKilled'],
    ],
    ['by the log', [GONE, [], worker('Pod was deleted')], ['TaskManagerCrashed', 'Pod was deleted']],
    ['by its own word', [GONE, [], ''], ['TaskManagerCrashed', 'no longer reachable']],
    ['that never came', [NEVER_CAME, [nowhere], ''], ['PodUnschedulable', '0/1 nodes']],
    ['that found no room', [NEVER_CAME, [], OVER_QUOTA], ['QuotaExceeded', 'exceeded quota']],
    ['that never came, and nobody knows why', [NEVER_CAME, [], ''], ['JobFailed', 'Could not acquire']],
    [
      'not where the job itself is at fault',
      ['java.lang.ArithmeticException: / by zero', [evicted], ''],
      ['JobFailed', 'by zero'],
    ],
  ] as const)('%s', (_how, [root, pods, text], [reason, said]) => {
    const rest = {
      ...answered([jobOf(running, { state: 'FAILED' })]),
      result: { answers: {}, rootException: { message: root, stackTrace: root } },
    } as RestFacts;
    const facts = kubernetes(running, { pods: [jobManagerPod(), ...pods] });
    const seen = look(running, rest, { kubernetes: facts, ...(text === '' ? {} : log(text, false)) });
    const verdict = decide(seen, running, NOW);
    expect(verdict).toMatchObject({ kind: 'ended', outcome: { state: 'failed', reason, flinkState: 'FAILED' } });
    expect(verdict.kind === 'wait' ? '' : verdict.outcome.message).toContain(said);
  });
});

describe('every verdict', () => {
  it('is one, whatever is seen, and one that the record can take', () => {
    fc.assert(
      fc.property(anyCase, ({ record, seen }) => {
        const verdict = decide(seen, record, NOW);
        if (verdict.kind === 'wait') {
          expect(verdict.because).not.toBe('');
          return;
        }
        expect(verdict.outcome.message).not.toBe('');
        if (verdict.outcome.state !== 'canceled') expect(verdict.outcome.evidence).not.toEqual([]);
        if (verdict.kind === 'failed') expect(verdict.outcome.state).toBe('failed');
        expect(end(record, verdict.outcome)).toMatchObject({ state: 'ended', outcome: verdict.outcome });
      }),
    );
  });

  it('on a terminal job of the JobManager that ran it is an end', () => {
    const anyTerminal = anyRecord.chain((record) =>
      fc.constantFrom(...JOB_STATE_NAMES.filter(isTerminal)).map((state) => ({ record, state })),
    );
    fc.assert(
      fc.property(anyTerminal, ({ record, state }) => {
        const verdict = decide(look(record, answered([jobOf(record, { state })])), record, NOW);
        expect(verdict).toMatchObject({ kind: 'ended', outcome: { flinkState: state } });
      }),
    );
  });

  it('on silence alone is to wait, within the limits', () => {
    const young = fc.record({
      state: fc.constantFrom('starting' as const, 'running' as const),
      age: fc.integer({ min: 0, max: START - 1 }),
      silence: fc.integer({ min: 0, max: SILENCE_LIMIT - 1 }),
    });
    fc.assert(
      fc.property(young, ({ state, age: old, silence }) => {
        const record = runIn(state, old, { unreachableSince: NOW - silence });
        expect(decide(look(record, UNREACHABLE), record, NOW)).toMatchObject({ kind: 'wait', unreachable: true });
      }),
    );
  });

  it('is the same for the same look', () => {
    fc.assert(
      fc.property(anyCase, ({ record, seen }) => {
        expect(decide(seen, record, NOW)).toEqual(decide(structuredClone(seen), structuredClone(record), NOW));
      }),
    );
  });
});
