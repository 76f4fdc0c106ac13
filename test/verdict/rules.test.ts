import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ABORT_RULES, STOP_GRACE } from '../../lib/verdict/abort.ts';
import { APPLICATION_RULES, RECOVERY_GRACE } from '../../lib/verdict/application-rules.ts';
import { GATE_LIMIT, SILENCE_LIMIT } from '../../lib/verdict/deadlines.ts';
import { decide, explain } from '../../lib/verdict/decide.ts';
import { decisionEvidence, parseDecisionEvidence } from '../../lib/verdict/decision-evidence.ts';
import { updateAttempt } from '../../lib/run/machine.ts';
import { outcomeSchema } from '../../lib/run/outcome-schema.ts';
import { MAIN_DEADLINE, type StatePlan } from '../../lib/job/job.ts';
import type { Observation } from '../../lib/verdict/observation.ts';
import { SESSION_RULES } from '../../lib/verdict/session-rules.ts';
import { STOP_RULES } from '../../lib/verdict/stop/stop.ts';
import { CANCEL_GRACE } from '../../lib/verdict/shared-rules.ts';
import { redactDocument } from '../../lib/core/redaction/document.ts';
import type { Attempt, ActiveRun } from '../../lib/run/record.ts';
import { ABSENT, anyDecision, asked, finished, givenUp, inSession, RUN, START, withOptions } from './any-case.ts';
import { answered, jobManagerPod, jobOf, kubernetes, look, NOW, runIn, UNREACHABLE } from './observations.ts';

const TABLES = { APPLICATION_RULES, SESSION_RULES, ABORT_RULES, STOP_RULES } as const;
const STATE_PLAN: StatePlan = {
  ...{ upgradeMode: 'savepoint', fallback: 'none', format: 'CANONICAL', savepointDeadline: 60_000 },
  ...{ savepointDirectory: 's3://state/sp', checkpointDirectory: 's3://state/chk', history: { count: 1, age: 1 } },
  ...{ probation: 1, rollback: 'automatic' },
};
type TableName = keyof typeof TABLES;

type Case = readonly [rule: string, record: ActiveRun, seen: Observation];

const starting = runIn('starting', 5000);
const running = runIn('running', 5000);
const ha = withOptions(running, { 'high-availability.type': 'kubernetes' });
const late = runIn('starting', START);
const gated = updateAttempt(runIn('starting', GATE_LIMIT), {
  gate: { since: NOW - GATE_LIMIT, before: 0, message: 'pod c-x waits' },
});
const crashed = jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 1 });
const pending = jobManagerPod({ ready: false }, { state: 'waiting', reason: 'ContainerCreating' });
const noImage = jobManagerPod(
  { ready: false, createdAt: NOW - 600_000 },
  { state: 'waiting', reason: 'InvalidImageName', message: 'bad' },
);
const another = jobManagerPod({ uid: 'another' });
const FORBIDDEN =
  'pods is forbidden: User "system:serviceaccount:flink:default" cannot create resource "pods" in API group';
const log = (text: string, stopped: boolean): Pick<Observation, 'jobManagerLog'> => ({
  jobManagerLog: { text, stopped },
});
const canceled = (record: ActiveRun, ago = CANCEL_GRACE): ActiveRun => ({
  ...record,
  cancelRequested: { ...asked, at: NOW - ago },
});
const silent = (record: ActiveRun): ActiveRun => ({ ...record, unreachableSince: NOW - SILENCE_LIMIT });
const withPods = (record: ActiveRun, ...pods: readonly ReturnType<typeof jobManagerPod>[]) => ({
  kubernetes: kubernetes(record, { pods }),
});

/** main() of an application whose job has finished, before and from Flink 2.3. */
const mainRuns = { applications: [{ id: 'a', name: 'a', status: 'RUNNING' }] };
const lateMain: ActiveRun = {
  ...running,
  attempts: [{ ...running.attempts[0], jobsEndedAt: NOW - MAIN_DEADLINE }],
};
const exited = jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 3 });
const SHUT_DOWN =
  '2026-11-21 INFO  org.apache.flink.runtime.entrypoint.ClusterEntrypoint [] - Shutting X down with application status UNKNOWN.';

const COMPLETED = `${finished}
2026-11-21 03:00:00,000 INFO  org.apache.flink.client.X [] - Application completed SUCCESSFULLY`;

/** Flink begins its job anew because of its state. */
function refusing(record: ActiveRun): Observation {
  return look(record, {
    ...answered([jobOf(record, { state: 'RESTARTING', tasks: {} })]),
    ...{
      trouble: { message: 'x', stackTrace: 'org.apache.flink.util.StateMigrationException: The new key serializer' },
    },
  });
}

const APPLICATION: readonly Case[] = [
  ['main-exited', running, look(running, UNREACHABLE, { ...withPods(running, exited), ...log(SHUT_DOWN, true) })],
  [
    'finished-before-deletion',
    running,
    look(running, answered([jobOf(running)]), {
      ...withPods(running, jobManagerPod({ deleting: true }), another),
      leavingLog: COMPLETED,
    }),
  ],
  ['jobmanager-replaced', running, look(running, answered([jobOf(running)]), withPods(running, another))],
  ['application-ended', running, look(running, answered([jobOf(running, { state: 'FINISHED' })]))],
  ['terminal-state-before-stop', ha, look(ha, UNREACHABLE, { ...withPods(ha, crashed), ...log(finished, true) })],
  ['cluster-deleted', running, look(running, UNREACHABLE, { kubernetes: ABSENT })],
  [
    'jobmanager-stopped',
    running,
    look(running, UNREACHABLE, { ...withPods(running, crashed), ...log(finished, true) }),
  ],
  ['kubernetes-failure', starting, look(starting, UNREACHABLE, withPods(starting, noImage))],
  ['taskmanagers-refused', starting, look(starting, answered([]), log(FORBIDDEN, false))],
  ['state-refused', starting, refusing(starting)],
  ['application-end-in-log', running, look(running, answered([]), log(finished, false))],
  ['canceled-before-start', canceled(starting, 0), look(starting, UNREACHABLE, withPods(starting, pending))],
  ['cancel-timeout', canceled(running), look(running, answered([jobOf(running)]))],
  ['job-lost', { ...ha, unreachableSince: NOW - RECOVERY_GRACE }, look(ha, answered([]))],
  ['gate-limit', gated, look(gated, UNREACHABLE)],
  ['start-deadline', late, look(late, UNREACHABLE, { kubernetes: kubernetes(late, { pods: [] }) })],
  ['main-deadline', lateMain, look(running, answered([jobOf(running, { state: 'FINISHED' })], mainRuns))],
  ['run-deadline', runIn('running', RUN), look(running, answered([jobOf(running)]))],
  ['rest-unreachable', silent(running), look(running, UNREACHABLE)],
  ['no-end-seen', running, look(running, answered([jobOf(running)]))],
];

const SUBMITTED: NonNullable<Attempt['submission']> = {
  by: 'x',
  at: NOW - 60_000,
  answeredAt: NOW - 60_000,
  highAvailability: false,
};
const JM = { jobManager: { podUid: 'jm', restartCount: 0 }, deploymentUid: 'd' };
const submitted = (record: ActiveRun): ActiveRun => inSession({ ...JM, submission: SUBMITTED }, record);
const waiting = inSession({}, starting);
const inIt = submitted(running);
const noSlots = { message: 'x', stackTrace: 'jobmanager.scheduler.NoResourceAvailableException: no' };

const SESSION: readonly Case[] = [
  [
    'slots-unavailable',
    inIt,
    look(inIt, {
      ...answered([jobOf(inIt, { state: 'FAILED' })]),
      ...{ result: { answers: {}, rootException: noSlots } },
    }),
  ],
  ['job-terminal', inIt, look(inIt, answered([jobOf(inIt, { state: 'CANCELED' })]))],
  ['terminal-state-in-log', inIt, look(inIt, answered([]), log(finished, false))],
  ['canceled-before-submission', canceled(waiting), look(waiting, answered([]))],
  ['session-deleted', inIt, look(inIt, UNREACHABLE, { kubernetes: ABSENT })],
  ['jobmanager-replaced', inIt, look(inIt, answered([]), withPods(inIt, another))],
  ['session-not-starting', waiting, look(waiting, UNREACHABLE, withPods(waiting, noImage))],
  ['cancel-timeout', canceled(inIt), look(inIt, answered([jobOf(inIt)]))],
  ['job-lost', submitted(runIn('running', 60_000)), look(inIt, answered([]))],
  ['state-refused', submitted(starting), refusing(submitted(starting))],
  ['slots-deadline', submitted(late), look(late, answered([jobOf(late, { tasks: {} })]))],
  ['submission-deadline', submitted(late), look(late, UNREACHABLE)],
  ['gate-limit', inSession({}, gated), look(gated, UNREACHABLE)],
  ['start-deadline', inSession({}, late), look(late, UNREACHABLE)],
  ['run-deadline', submitted(runIn('running', RUN)), look(inIt, answered([jobOf(inIt)]))],
  ['rest-unreachable', submitted(silent(running)), look(inIt, UNREACHABLE)],
  ['no-end-seen', inIt, look(inIt, answered([jobOf(inIt)]))],
];

const stopping = givenUp(running, NOW - STOP_GRACE + 1);
const ABORT: readonly Case[] = [
  ['aborted-job-stopped', stopping, look(running, answered([jobOf(running, { state: 'CANCELED' })]))],
  ['aborted-job-stopping', stopping, look(running, answered([jobOf(running)]))],
  ['aborted-job-not-stopped', givenUp(running, NOW - STOP_GRACE), look(running, answered([jobOf(running)]))],
];

const stream: ActiveRun = { ...running, job: { ...running.job, kind: 'streaming', state: STATE_PLAN } };
const stopped = { at: NOW - 1000, by: 'deployment x', reason: 'ReplacedByNewerRun' } as const;
const savepoint = { kind: 'savepoint', path: 's3://state/sp/savepoint-1', checkpointId: 7 } as const;
const withSavepoint: ActiveRun = {
  ...stream,
  stopRequested: {
    ...{ ...stopped, mode: 'savepoint', until: NOW + 60_000, fallback: 'none' },
    savepoint: {
      ordinal: 1,
      triggerId: 'a'.repeat(32),
      directory: 's3://state/sp/',
      format: 'CANONICAL',
      drain: false,
    },
  },
  stopTries: 1,
};
const STOP: readonly Case[] = [
  [
    'stopped-with-savepoint',
    withSavepoint,
    look(stream, answered([jobOf(stream, { state: 'FAILED' })]), {
      stop: { savepoint, newest: { ...savepoint, checkpointId: 6 }, operation: { ordinal: 1, state: 'failed' } },
    }),
  ],
  [
    'stopped-by-cancel',
    { ...stream, stopRequested: { ...stopped, mode: 'last-state' } },
    look(stream, UNREACHABLE, { kubernetes: kubernetes(stream, { pods: [another] }) }),
  ],
];

const CASES: Readonly<Record<TableName, readonly Case[]>> = {
  APPLICATION_RULES: APPLICATION,
  SESSION_RULES: SESSION,
  ABORT_RULES: ABORT,
  STOP_RULES: STOP,
};
const NAMES = Object.keys(TABLES) as TableName[];

/** Through the text that is stored, as the evidence store redacts it. */
function replay(record: ActiveRun, seen: Observation): ReturnType<typeof explain> {
  const facts = { observation: seen, record, now: NOW };
  const kept = decisionEvidence(facts, decide(seen, record, NOW));
  return explain(parseDecisionEvidence(redactDocument(JSON.stringify(kept), 'application/json'), 'decision.json'));
}

describe.each(NAMES)('%s', (name) => {
  const rows = TABLES[name].map((rule) => rule.name);

  it('has names that are unique, in kebab-case, each with one line that describes it', () => {
    expect(new Set(rows).size).toBe(rows.length);
    for (const { name: rule, description } of TABLES[name]) {
      expect(rule).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(description).toMatch(/^[^\n|]{20,}[^.\n|]$/);
    }
  });

  it('stands in docs/run-machine.md, row by row in its order', () => {
    const document = readFileSync(new URL('../../docs/run-machine.md', import.meta.url), 'utf8');
    const [, section = ''] = document.split(`\n### \`${name}\`\n`);
    const documented = [...(section.split('\n#')[0] ?? '').matchAll(/^\| `([a-z-]+)` \| (.+) \| (.+) \|$/gm)];
    expect(documented.map(([, rule, when, description]) => ({ rule, when, description }))).toEqual(
      TABLES[name].map((rule) => ({
        rule: rule.name,
        when: rule.when?.text ?? 'always',
        description: rule.description,
      })),
    );
  });

  it('has a case for every row', () => {
    expect(CASES[name].map(([rule]) => rule)).toEqual(rows);
  });

  it.each(CASES[name])('%s decides, and its name is in verdict and outcome', (rule, record, seen) => {
    const verdict = decide(seen, record, NOW);
    expect(verdict.rule).toBe(rule);
    if (verdict.kind === 'wait') return expect(verdict).not.toHaveProperty('outcome');
    expect(['failed', 'ended']).toContain(verdict.kind);
    expect(outcomeSchema.parse(verdict.outcome)).toMatchObject({ rule });
  });

  it.each(CASES[name])('%s is replayed from the evidence, with the row that decided', (rule, record, seen) => {
    const { verdict, rows: ofMode, abortRows, stopRows } = replay(record, seen);
    expect(verdict).toEqual(decide(seen, record, NOW));
    const rowsOf = { ABORT_RULES: abortRows, STOP_RULES: stopRows, APPLICATION_RULES: ofMode, SESSION_RULES: ofMode };
    const decided = rowsOf[name].filter(({ result }) => result === 'decided');
    expect(decided.map((row) => row.rule)).toEqual([rule]);
  });
});

describe('an explanation', () => {
  it('has the facts of a row that did not hold', () => {
    const { rows } = explain({ observation: look(starting, UNREACHABLE), record: starting, now: NOW });
    const why = (rule: string): string | undefined => rows.find((row) => row.rule === rule)?.why;
    expect(why('start-deadline')).toMatch(
      /^deadlines\.start 600 s: 5 s used; REST does not answer: connection refused$/,
    );
    expect(why('run-deadline')).toBe('looks only once the job was seen to run');
    expect(why('cluster-deleted')).toMatch(/^Deployment \S+: uid d, of run [0-9a-f]{20}, attempt 1$/);
  });

  it('tells of a rule below the one that decided that it holds as well', () => {
    const seen = look(running, answered([jobOf(running, { state: 'FINISHED' })]));
    const { rows } = explain({ observation: seen, record: canceled(running), now: NOW });
    const results = Object.fromEntries(rows.map(({ rule, result }) => [rule, result]));
    expect(results).toMatchObject({
      'application-ended': 'decided',
      'cancel-timeout': 'also-holds',
      'job-lost': 'not-held',
    });
  });

  it('is of the same verdict as the decision, with a reason for every row, whatever is seen', () => {
    fc.assert(
      fc.property(anyDecision, ({ record, seen }) => {
        const verdict = decide(seen, record, NOW);
        const { rows, abortRows, stopRows, ...told } = explain({ observation: seen, record, now: NOW });
        expect(told.verdict).toEqual(verdict);
        expect([...rows, ...abortRows, ...stopRows].every(({ why }) => why !== '')).toBe(true);
        expect(rows.filter(({ result }) => result === 'decided')).toHaveLength(1);
        expect([...rows, ...abortRows, ...stopRows].find(({ rule }) => rule === verdict.rule)?.result).toBe('decided');
      }),
    );
  });

  it('needs no more than what is kept of the decision', () => {
    fc.assert(
      fc.property(anyDecision, ({ record, seen }) => {
        expect(replay(record, seen).verdict.rule).toBe(decide(seen, record, NOW).rule);
      }),
    );
  });
});

describe('a stop with a savepoint', () => {
  const ended = (state: 'FINISHED' | 'FAILED' | 'CANCELED', stop: Observation['stop']) =>
    look(stream, answered([jobOf(stream, { state })]), stop && { stop });

  it('is not what a savepoint is after which the job went on', () => {
    const newer = { ...savepoint, kind: 'checkpoint', checkpointId: 8 } as const;
    const verdict = decide(ended('FAILED', { savepoint, newest: newer }), withSavepoint, NOW);
    expect(verdict).toMatchObject({ kind: 'ended', outcome: { state: 'failed', reason: 'JobFailed' } });
  });

  it('is not an end without a savepoint: the job was faster', () => {
    for (const stop of [undefined, { savepoint: null }]) {
      const verdict = decide(ended('FINISHED', stop), withSavepoint, NOW);
      expect(verdict).toMatchObject({ kind: 'ended', outcome: { state: 'succeeded', reason: 'JobFinished' } });
    }
  });

  it('that was given up counts when it comes after all, and else not', () => {
    const { stopRequested, ...rest } = withSavepoint;
    const given = { ...stopped, message: 'late', ordinal: 1 };
    const late = { ...rest, stopFailed: given } as ActiveRun;
    expect(stopRequested).toBeDefined();
    expect(decide(ended('FINISHED', { savepoint }), late, NOW)).toMatchObject({
      outcome: { reason: 'StoppedWithSavepoint' },
    });
    expect(decide(ended('FAILED', { savepoint }), late, NOW)).toMatchObject({ outcome: { reason: 'JobFailed' } });
  });

  it('changes nothing of a run that is no stream', () => {
    const plain = { ...withSavepoint, job: running.job };
    const verdict = decide(ended('FINISHED', { savepoint }), plain, NOW);
    expect(verdict).toMatchObject({ outcome: { reason: 'JobFinished' } });
  });
});

describe('the evidence of a decision', () => {
  it.each([
    ['{', /^decision\.json is no JSON$/],
    ['{"version": 2}', /has version 2; this flink-dispatch reads version 1: use a newer one/],
    ['{"version": 1, "rule": "x"}', /^decision\.json is damaged: kind: /],
  ])('%s is refused', (text, message) => {
    expect(() => parseDecisionEvidence(text, 'decision.json')).toThrow(message);
  });
});

it('a session whose ConfigMap came two minutes after its Deployment has the kubelet look again', () => {
  const pod = jobManagerPod(
    { ready: false, phase: 'Pending', createdAt: NOW - 125_000 },
    { state: 'waiting', reason: 'ContainerCreating' },
  );
  const events = [
    {
      ...{ object: `Pod/${pod.name}`, type: 'Warning', reason: 'FailedMount', count: 6, lastSeen: NOW },
      message: 'configmap "flink-config-x" not found',
    },
  ];
  const seen = look(waiting, UNREACHABLE, { kubernetes: kubernetes(waiting, { pods: [pod], events }) });
  expect(decide(seen, waiting, NOW)).toMatchObject({ kind: 'wait', rule: 'no-end-seen' });
});

it('a job of another run of the session that has finished is none of this one', () => {
  const record = submitted(late);
  const others = `2026-11-21 INFO  org.apache.flink.X [] - Job other (${'b'.repeat(32)}) switched from state RUNNING to FINISHED.`;
  const seen = look(late, answered([jobOf(late, { tasks: {} })]), log(others, false));
  expect(decide(seen, record, NOW)).toMatchObject({ kind: 'failed', rule: 'slots-deadline' });
});

it('a JobManager that was killed ran no hook: what its log tells of one is of another start', () => {
  const killed = jobManagerPod({ ready: false }, { state: 'terminated', reason: 'Error', exitCode: 137 });
  const seen = look(running, UNREACHABLE, { ...withPods(running, killed), ...log(SHUT_DOWN, true) });
  expect(decide(seen, running, NOW).rule).not.toBe('main-exited');
});

it('one lost answer about main() is no deadline that it missed', () => {
  const ended = look(running, answered([jobOf(running, { state: 'FINISHED' })], { applications: [] }));
  expect(decide(ended, lateMain, NOW).rule).not.toBe('main-deadline');
  expect(decide(ended, lateMain, NOW + 600_000).rule).toBe('main-deadline');
});
