import { clusterId } from '../fakes/ids.ts';
import fc from 'fast-check';
import { JOB_STATE_NAMES } from '../../lib/flink/job-state.ts';
import { without } from '../../lib/run/machine.ts';
import type { Attempt, Outcome, ActiveRun } from '../../lib/run/record.ts';
import type { Observation, RestFacts } from '../../lib/verdict/observation.ts';
import { CANCEL_GRACE } from '../../lib/verdict/shared-rules.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

export const START = 600_000;
export const RUN = 3_600_000;
export const ABSENT = { deployment: { state: 'absent' }, pods: [], events: [] } as const;
export const asked = { at: NOW - CANCEL_GRACE + 1, by: 'a test', reason: 'JobCanceled' } as const;
/** What a JobManager writes of its job's end. */
export const finished = `2026-11-21 INFO Job x (${runIn('running', 0).attempts[0]?.jobId ?? ''}) switched from state RUNNING to FINISHED.\n2026-11-21 03:00:00,000 INFO  org.apache.flink.X [] - Application completed SUCCESSFULLY`;

/** Of a JobManager that logs how a job goes on. */
export const REFUSED = `2026-11-21 INFO org.apache.flink.runtime.X [] - starts
pods is forbidden: User "system:serviceaccount:flink:flink" cannot watch resource "pods" in API group "" in the namespace "flink"`;

export function withOptions(record: ActiveRun, options: Record<string, string>, kind?: 'streaming'): ActiveRun {
  const { job } = record;
  return { ...record, job: { ...job, options: { ...job.options, ...options }, ...(kind && { kind }) } };
}

const age = fc.integer({ min: -1000, max: 3 * RUN });
const instant = fc.integer({ min: NOW - 3 * RUN, max: NOW + 1000 });
export const anyRecord = fc
  .record({
    state: fc.constantFrom('starting' as const, 'running' as const),
    age,
    kind: fc.constantFrom('batch', 'streaming'),
    ha: fc.boolean(),
    unreachableSince: fc.option(instant, { nil: undefined }),
    cancelAt: fc.option(instant, { nil: undefined }),
    run: fc.option(fc.integer({ min: 1, max: RUN }), { nil: undefined }),
  })
  .map(({ state, age: old, kind, ha, unreachableSince, cancelAt, run }): ActiveRun => {
    const record = withOptions(runIn(state, old), ha ? { 'high-availability.type': 'kubernetes' } : {});
    const { job } = record;
    return {
      ...record,
      job: { ...job, kind, deadlines: { start: START, ...(run === undefined ? {} : { run }) } },
      ...(unreachableSince === undefined ? {} : { unreachableSince }),
      ...(cancelAt === undefined ? {} : { cancelRequested: { ...asked, at: cancelAt } }),
    };
  });

const anyPod = fc
  .record({
    uid: fc.constantFrom('jm', 'another'),
    component: fc.constantFrom('jobmanager' as const, 'taskmanager' as const),
    phase: fc.constantFrom('Pending', 'Running', 'Failed', 'Succeeded', 'Unknown'),
    deleting: fc.boolean(),
    ready: fc.boolean(),
    createdAt: instant,
    container: fc.record({
      state: fc.constantFrom('waiting' as const, 'running' as const, 'terminated' as const),
      reason: fc.constantFrom('Error', 'OOMKilled', 'ErrImagePull', 'Completed', 'CreateContainerConfigError'),
      restartCount: fc.nat(3),
      exitCode: fc.constantFrom(0, 1, 137, 239),
    }),
  })
  .map(({ container, ...pod }) => jobManagerPod(pod, container));

const anyJobs = (record: ActiveRun) =>
  fc.array(
    fc
      .record({
        state: fc.constantFrom(...JOB_STATE_NAMES),
        ours: fc.boolean(),
        running: fc.nat(2),
        endTime: fc.oneof(fc.constant(-1), instant),
      })
      .map(({ state, ours, running: tasks, endTime }) =>
        jobOf(record, { state, endTime, tasks: { RUNNING: tasks }, ...(ours ? {} : { id: 'f'.repeat(32) }) }),
      ),
    { maxLength: 3 },
  );

function anyLook(record: ActiveRun): fc.Arbitrary<Observation> {
  const rest: fc.Arbitrary<RestFacts> = fc.oneof(
    fc.constant(UNREACHABLE),
    anyJobs(record).map((jobs) => answered(jobs)),
  );
  const text = fc.oneof(
    fc.string(),
    fc.constant(finished),
    fc.constant('java.lang.OutOfMemoryError: heap'),
    fc.constant(REFUSED),
  );
  return fc
    .record({
      rest,
      pods: fc.array(anyPod, { maxLength: 3 }),
      absent: fc.boolean(),
      said: fc.option(fc.record({ text, stopped: fc.boolean() }), { nil: undefined }),
      hasRefusedRight: fc.option(fc.boolean(), { nil: undefined }),
      leavingLog: fc.option(text, { nil: undefined }),
    })
    .map(({ rest: answer, pods, absent, said, hasRefusedRight, leavingLog }) =>
      look(record, answer, {
        kubernetes: absent ? ABSENT : kubernetes(record, { pods }),
        ...(said === undefined ? {} : { jobManagerLog: said }),
        ...(hasRefusedRight === undefined ? {} : { hasRefusedRight }),
        ...(leavingLog === undefined ? {} : { leavingLog }),
      }),
    );
}

/** A run with a cluster of its own, and a look at it. */
export const anyCase = anyRecord.chain((record) => anyLook(record).map((seen) => ({ record, seen })));

/** The same look at a job in a session, submitted or not. */
const anySessionCase = fc
  .record({
    run: anyCase,
    submission: fc.option(
      fc.record<NonNullable<Attempt['submission']>>({
        by: fc.constant('x'),
        at: instant,
        answeredAt: instant,
        highAvailability: fc.boolean(),
      }),
      { nil: undefined },
    ),
    isAnswered: fc.boolean(),
    deploymentUid: fc.constantFrom('d', 'another', undefined),
    hadJobManager: fc.boolean(),
  })
  .map(({ run: { record, seen }, submission, isAnswered, deploymentUid, hadJobManager }) => {
    const change = {
      ...(submission === undefined ? {} : { submission: isAnswered ? submission : without(submission, 'answeredAt') }),
      ...(deploymentUid === undefined ? {} : { deploymentUid }),
      ...(hadJobManager ? { jobManager: { podUid: 'jm', restartCount: 0 } } : {}),
    };
    return { record: inSession(change, record), seen };
  });

export function inSession(change: Partial<Attempt>, record: ActiveRun): ActiveRun {
  const { job } = record;
  const attempts: ActiveRun['attempts'] = [{ ...record.attempts[0], ...change }];
  return { ...record, job: { ...job, mode: 'session', session: { clusterId: clusterId('team-a') } }, attempts };
}

const GIVEN_UP: Outcome = { state: 'failed', reason: 'StartDeadlineExceeded', message: 'late', at: 0, evidence: ['e'] };

export function givenUp(record: ActiveRun, at: number): ActiveRun {
  return { ...record, attempts: [{ ...record.attempts[0], abortOutcome: { ...GIVEN_UP, at } }] };
}

/** Of both modes, given up or not. */
export const anyDecision = fc
  .record({ of: fc.oneof(anyCase, anySessionCase), at: fc.option(instant, { nil: undefined }) })
  .map(({ of: { record, seen }, at }) => ({ record: at === undefined ? record : givenUp(record, at), seen }));
