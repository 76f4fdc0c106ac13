import { WINDOW_MUTANTS } from './deployments/window-mutants.ts';
import { PREPARED_MUTANTS } from './deployments/prepared-mutants.ts';
import { DEPLOYMENT_MUTANTS } from './deployments/deployment-mutants.ts';
import { RESCALE_PLAYED } from './deployments/rescale-mutants.ts';
import { TAKE_OVER_PLAYED, TAKE_OVER_TESTED } from './deployments/take-over-mutants.ts';
import { STREAM_MUTANTS, STREAM_TESTED } from './streams/stream-mutants.ts';
import { SESSION_MUTANTS } from './sessions/session-mutants.ts';
import { ATTEMPT_MUTANTS } from './attempts/mutants.ts';
import { CALLBACK_MUTANTS, CALLBACK_TESTED } from './callbacks/mutants.ts';
import { LOCK_MUTANTS } from './locks/mutants.ts';
import { HISTORY_MUTANTS, HISTORY_TESTED } from './history/mutants.ts';
import { INDEX_MUTANTS, INDEX_TESTED } from './index/mutants.ts';
import { START_TESTED } from './attempts/start-mutants.ts';
import { TENANT_MUTANTS } from './tenant-mutants.ts';
import type { Plan } from './world.ts';

/** A guard, and the source without it. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Exactly once in the file. */
  readonly guard: string;
  readonly without: string;
  /** Worlds in which it matters; default: all. */
  readonly seeds?: readonly number[];
  readonly only?: Plan['only'];
}

/** A guard whose loss a unit test notices. */
export interface TestedMutant extends Omit<Mutant, 'seeds'> {
  /** The file of the test. */
  readonly test: string;
}

const S3 = 'lib/run/store/s3-objects.ts';
const APPLY = 'lib/kubernetes/cluster/apply.ts';
const APPLICATION_END = 'lib/verdict/application/end.ts';
const ADMIT = 'lib/kubernetes/admission/admit.ts';
const ADVANCE = 'lib/dispatch/advance.ts';

/** What the promises rest on, one guard each. The simulation has to notice when it is gone. */
export const MUTANTS: readonly Mutant[] = [
  ...SESSION_MUTANTS,
  ...TENANT_MUTANTS,
  ...STREAM_MUTANTS,
  ...RESCALE_PLAYED,
  ...ATTEMPT_MUTANTS,
  ...INDEX_MUTANTS,
  ...HISTORY_MUTANTS,
  ...PREPARED_MUTANTS,
  ...LOCK_MUTANTS,
  ...CALLBACK_MUTANTS,
  ...WINDOW_MUTANTS,
  ...TAKE_OVER_PLAYED,
  {
    name: 'an application that Flink lists as running has not ended',
    file: APPLICATION_END,
    guard: 'ENDS.includes(status)',
    without: "status !== ''",
  },
  {
    name: 'a main() that no log tells of has not failed when its JobManager goes on',
    file: APPLICATION_END,
    guard: 'if (mainReturnedAt === undefined || now - mainReturnedAt < MAIN_SETTLES) return undefined;',
    without: 'if (mainReturnedAt === undefined) return undefined;',
  },
  {
    name: 'what main() throws again counts',
    file: APPLICATION_END,
    guard: "!end.cause.stackTrace.includes('DuplicateJobSubmissionException')",
    without: 'false',
  },
  {
    name: 'an application of which a job finished is not run again',
    file: 'lib/verdict/verdict.ts',
    guard: 'if (!isDone || isEndless(record)) return verdict;',
    without: 'if (isDone || !isDone) return verdict;',
  },
  {
    name: 'System.exit() in main() is no crash',
    file: 'lib/verdict/application-rules.ts',
    guard: '  mainExited,\n',
    without: '',
  },
  {
    name: 'no log tells of the JobManagers before the last one',
    file: 'lib/verdict/jobmanager-stop.ts',
    guard: '(tellsOfItsJob(input) && isLogOfAll(input))',
    without: 'tellsOfItsJob(input)',
    seeds: [1001520],
  },
  {
    name: 'a main() that has just returned does not hang',
    file: 'lib/verdict/application/main-deadline.ts',
    guard: "if (main?.state === 'returned') return undefined;",
    without: '',
    seeds: [24],
  },
  {
    name: 'a main() that exits has survived its jobs',
    file: 'lib/verdict/application/last-words.ts',
    guard: "last.state !== 'FINISHED' && !exits",
    without: "last.state !== 'FINISHED'",
    seeds: [6905],
  },
  {
    name: 'an answer about main() is as old as the question',
    file: 'lib/verdict/application/main-deadline.ts',
    guard: "(rest.state === 'answered' ? rest.askedAt : undefined) ?? now",
    without: 'now',
    seeds: [2518],
  },
  {
    name: 'a record is created only where none is',
    file: S3,
    guard: "condition === 'absent' ? { IfNoneMatch: '*' }",
    without: "condition === 'absent' ? {}",
  },
  {
    name: 'a record is replaced only by who read it last',
    file: S3,
    guard: '{ IfMatch: condition.eTag }',
    without: '{}',
  },
  {
    name: 'a marker stands before its record',
    file: 'lib/run/store/s3-ledger.ts',
    guard: '  await mark(bucket, record);',
    without: '',
  },
  {
    name: 'a Deployment of the same name is asked whose it is',
    file: APPLY,
    guard: 'if (!isSameOwner(theirs, owner)) {',
    without: 'if (theirs?.kind === "pool") {',
  },
  {
    name: 'an overtaken launch lets no program begin',
    file: APPLY,
    guard: "if (answer !== 'grant') throw await overtaken(client, cluster, answer, made);",
    without: '',
  },
  {
    name: 'an overtaken launch leaves what is still to be told of',
    file: 'lib/dispatch/modes/own-cluster.ts',
    guard: " || state === 'ended';",
    without: ';',
  },
  {
    name: 'a permit that was withdrawn is not granted again',
    file: 'lib/kubernetes/cluster/start-permit.ts',
    guard:
      'if (metadata === undefined || !isSameOwner(ownerIn(metadata), owner) || (await withhold(client, ref, metadata)))\n    return;',
    without: 'return;',
  },
  {
    name: 'a cluster is admitted as a whole',
    file: ADMIT,
    guard: "if (admission.kind !== 'admitted') throw refusal(cluster, admission);",
    without: '',
  },
  {
    name: 'two clusters are not admitted to the same room',
    file: ADMIT,
    guard: "if (turn === undefined) return 'busy';",
    without: 'if (turn === undefined) return FREE;',
  },
  {
    name: 'an attempt is written down before it is made',
    file: ADVANCE,
    guard: 'if (record === stored.value) return stored;',
    without: "if (record === stored.value || record.state === 'launching') return { ...stored, value: record };",
  },
  {
    name: 'an outcome is written down before it is published',
    file: ADVANCE,
    guard:
      "return step.record.stepError === undefined ? step : { ...step, record: without(step.record, 'stepError') };",
    without: 'return { ...step, record: await announce(step.record, deps) };',
  },
  {
    name: 'an end is published before anything is removed',
    file: ADVANCE,
    guard: 'if (isEnded(record.state)) throw error;',
    without: '',
  },
  {
    name: 'an older run message does nothing',
    file: ADVANCE,
    guard: 'message.step >= stored.value.step.number &&',
    without: '',
  },
  {
    name: 'a closed run leaves the line',
    file: ADVANCE,
    guard: "if (stored.value.state === 'closed') return releaseLock(stored.value, deps);",
    without: "if (stored.value.state === 'closed') return;",
  },
  {
    name: 'who was overtaken gives the lock of a closed run back',
    file: ADVANCE,
    guard: '  await overtaken(record, deps);\n',
    without: '',
  },
  {
    name: 'the last attempt is gone before the next begins',
    file: 'lib/dispatch/acquire-lock.ts',
    guard: 'if (remains.length > 0) return waitFor(',
    without: 'if (remains.length > 1_000) return waitFor(',
  },
  {
    name: 'a run is closed when nothing is left',
    file: 'lib/dispatch/clean-up.ts',
    guard: 'if (remains.length === 0) return close(',
    without: 'if (remains.length >= 0) return close(',
  },
  {
    name: 'a closed run gives its lock back',
    file: 'lib/dispatch/clean-up.ts',
    guard: '  await releaseLock(record, deps);\n  const now = deps.clock.now();',
    without: '  const now = deps.clock.now();',
  },
  {
    name: 'what is given up cannot begin any more',
    file: 'lib/dispatch/follow.ts',
    guard: 'await seal(withRun(at, running), facts.observation);',
    without: 'running as ActiveRun | undefined;',
  },
  {
    name: 'a launch that is given up looks for what it made',
    file: 'lib/dispatch/launch.ts',
    guard: 'if (await isMade(record, deps)) return continueNow(created(record, now));',
    without: '',
  },
  {
    name: 'only the Deployment that is meant is removed',
    file: 'lib/kubernetes/cluster/remove.ts',
    guard: 'deployment.metadata?.deletionTimestamp === undefined && !isForeign(deployment, what)',
    without: 'deployment.metadata?.deletionTimestamp === undefined',
  },
  {
    name: 'a job that Flink runs in batch mode may finish, whatever its spec says',
    file: 'lib/verdict/kind.ts',
    guard: " && currentAttempt(record).runtime?.type !== 'BATCH'",
    without: '',
  },
  {
    name: 'a job that may have finished has no other attempt',
    file: 'lib/verdict/verdict.ts',
    guard: 'if (isEndless(input.record)) return failure(',
    without: 'if (true) return failure(',
  },
  {
    name: 'silence at the start is no failure to try again',
    file: 'lib/verdict/deadlines.ts',
    guard:
      "if (input.observation.rest.state === 'unreachable' && jobManagerReady(input.observation)) return unheard(input, late);",
    without: '',
  },
  {
    name: 'an earlier JobManager with high availability may have had the end',
    file: 'lib/verdict/deadlines.ts',
    guard: 'startsSoFar(observation, record) !== 1 || !tellsOfItsJob(input)',
    without: '!tellsOfItsJob(input)',
    seeds: [375],
  },
  {
    name: 'a wait for room leaves nothing on record',
    file: 'lib/run/machine.ts',
    guard: 'foundNoRoom(last) ? record.attempts.slice(0, -1) : record.attempts',
    without: 'record.attempts',
  },
  {
    name: 'the id of an event is always the same',
    file: 'lib/outcome/event.ts',
    guard: 'id: `${record.runId}.${event.sequence}`,',
    without: 'id: `${record.runId}.${Math.random()}`,',
  },
  {
    name: 'an entry that EventBridge refused is not published',
    file: 'lib/outcome/eventbridge-destination.ts',
    guard: 'if ((answer.FailedEntryCount ?? 0) > 0) throw refused(answer.Entries?.[0], bus);',
    without: '',
  },
  {
    name: 'the same key with another payload is refused',
    file: 'lib/dispatch/accept.ts',
    guard:
      'if (known.fingerprint !== fingerprint) return refuseConflict(`run ${known.runId}`, request, fingerprint, deps);',
    without: '',
  },
  {
    name: 'a firing is one run, whatever asks for it',
    file: 'lib/trigger/message.ts',
    guard: "identity: tick === undefined ? JSON.stringify(['sqs', queueArn, ...own]) : tickIdentity(tick, payload)",
    without: "identity: JSON.stringify(['sqs', queueArn, ...own])",
  },
  {
    name: 'the same order to run again is the same run',
    file: 'lib/operate/again-id.ts',
    guard: "JSON.stringify(['again', kind, runId, once])",
    without: "JSON.stringify(['again', kind, runId, once, Math.random()])",
  },
  {
    name: 'what is rejected goes to the dead letters',
    file: 'lib/dispatch/accept.ts',
    guard: "if (outcome === undefined || job !== undefined || request.source.kind !== 'message') return;",
    without: "if (outcome === undefined || job !== undefined || request.source.kind !== 'schedule') return;",
  },
  {
    name: 'a message that comes again has its dead letter for certain',
    file: 'lib/dispatch/accept.ts',
    guard: '  await toDeadLetters(known, request, deps);\n',
    without: '',
  },
  {
    name: 'a message that met stepError comes again',
    file: 'lib/dispatch/accept-batch.ts',
    guard: 'return { batchItemFailures: again.map(({ messageId }) => ({ itemIdentifier: messageId })) };',
    without: 'return { batchItemFailures: again.flatMap(() => []) };',
  },
  {
    name: 'the sweeper carries on what lost its message',
    file: 'lib/dispatch/sweep/sweep.ts',
    guard: '    await deps.runQueue.send({ version: 1, runId, step: step.number }, 0);',
    without: '',
  },
  {
    name: 'the sweeper takes markers of closed runs away',
    file: 'lib/dispatch/sweep/sweep-rows.ts',
    guard: 'if (over) await deps.live.forget(run);',
    without: '',
  },
  {
    name: 'the sweeper removes clusters without a run',
    file: 'lib/dispatch/sweep/sweep-clusters.ts',
    guard: 'await removeAndVerify(target.cluster, cluster, { highAvailability: false, uid: cluster.uid });',
    without: '[];',
  },
];

/** Guards that come to bear too seldom for worlds, or after too long: a unit test notices each. */
export const TESTED: readonly TestedMutant[] = [
  ...DEPLOYMENT_MUTANTS,
  ...TAKE_OVER_TESTED,
  ...START_TESTED,
  ...STREAM_TESTED,
  ...CALLBACK_TESTED,
  ...INDEX_TESTED,
  ...HISTORY_TESTED,
  {
    name: 'a cluster in which the program goes on is not kept',
    test: 'test/dispatch/clean-up.test.ts',
    file: 'lib/run/retention/cluster-retention.ts',
    guard: '  if (currentAttempt(record).goesOn === true) return undefined;\n',
    without: '',
  },
  {
    name: 'a program of high availability that failed is begun again',
    test: 'test/dispatch/clean-up.test.ts',
    file: 'lib/dispatch/state/state-at-end.ts',
    guard: 'beganAgain || !isIdle(observation)',
    without: 'beganAgain',
  },
  {
    name: 'what came to nothing may be complete',
    test: 'test/deployment/history.test.ts',
    file: 'lib/deployment/removals.ts',
    guard: '.filter(({ directory }) => !needed.some((snapshot) => snapshot && isBelow(snapshot.path, directory)))',
    without: '',
  },
  {
    name: 'of a JobManager that is deleted only the end of what finished counts',
    test: 'test/verdict/applications.test.ts',
    file: 'lib/verdict/application/last-words.ts',
    guard: "end?.status !== 'FINISHED' || jobs.length === 0",
    without: 'end === undefined || jobs.length === 0',
  },
  {
    name: 'a code that Flink halted the JVM with is not that of main()',
    test: 'test/verdict/applications.test.ts',
    file: 'lib/verdict/application/last-words.ts',
    guard: 'if (hidesExitCode(code))',
    without: 'if (hidesExitCode(-1))',
  },
  // Two functions have to be at one launch, the one be refused for want of room, room come, and the other be served, all
  // between the look and the record of the one: worlds hardly ever have that.
  {
    name: 'a launch that is given up is on record before its look',
    test: 'test/dispatch/giving-up.test.ts',
    file: 'lib/dispatch/launch.ts',
    guard: 'if (begins && currentAttempt(record).startRevokedAt === undefined) {',
    without: 'if (begins && now < 0) {',
  },
  {
    name: 'an application ends when all the jobs that Flink counts are listed',
    test: 'test/verdict/applications.test.ts',
    file: APPLICATION_END,
    guard: 'end !== undefined && lacksJobs(input, end)',
    without: 'end !== undefined && lacksJobs(input, { ...end, began: 0 })',
  },
  {
    name: 'a job that Flink counts, and does not list yet, is not lost',
    test: 'test/verdict/told.test.ts',
    file: 'lib/verdict/application-rules.ts',
    guard: ' || awaitsJobs(input)',
    without: '',
  },
  {
    name: 'a refusal that is over ends no run',
    test: 'test/dispatch/rights.test.ts',
    file: 'lib/verdict/decide.ts',
    guard: 'hasRefusedRight === true ? withoutRefusal(found) : found',
    without: 'found',
  },
];
