import type { TestedMutant } from '../mutants.ts';
import { RESCALE_MUTANTS } from './rescale-mutants.ts';

const DEPLOYMENTS = 'test/dispatch/deployment/deployments.test.ts';
const GENERATIONS = 'test/deployment/generations.test.ts';
const DECIDE = 'lib/deployment/decide.ts';
const START = 'lib/deployment/start.ts';
const STOP = 'lib/deployment/stop.ts';
const HANDOVER = 'test/deployment/handover.test.ts';
const PREPARE = 'lib/deployment/prepare.ts';
const HISTORY = 'lib/deployment/history.ts';
const STABLE = 'lib/deployment/stable.ts';
const ROLLBACK = 'lib/deployment/rollback.ts';
const ROLLBACKS = 'test/dispatch/deployment/rollback.test.ts';

/** Guards of deployments, by the windows of a crash that they close (W) and the invariants that they hold (I). */
export const DEPLOYMENT_MUTANTS: readonly TestedMutant[] = [
  ...RESCALE_MUTANTS,
  {
    name: 'W20 what a run restored from is not deleted before it has a checkpoint',
    test: 'test/deployment/history.test.ts',
    file: HISTORY,
    guard: 'const start = run?.checkpoints?.own === true ? undefined : run?.startFrom;',
    without: 'const start = undefined;',
  },
  {
    name: 'W20 what the next start reads is not deleted',
    test: 'test/deployment/history.test.ts',
    file: HISTORY,
    guard: 'run === undefined ? newest : undefined',
    without: 'undefined',
  },
  {
    name: 'I3 the next run starts from the newest state',
    test: DEPLOYMENTS,
    file: START,
    guard: "savepointMissing(newest) : { kind: 'from', snapshot: newest };",
    without: "savepointMissing(newest) : { kind: 'empty' };",
  },
  {
    name: 'I4 unknown state blocks',
    test: DEPLOYMENTS,
    file: START,
    guard: '  if (unknown !== undefined) {\n',
    without: "  if (unknown === '') {\n",
  },
  {
    name: 'I4 a checkpoint is no silent fallback',
    test: DEPLOYMENTS,
    file: START,
    guard: 'return isSilentFallback(record, wanted) ?',
    without: 'return isSilentFallback(record, wanted) && path === undefined && newest.path === record.name ?',
  },
  {
    name: 'I6 only what is its own is deleted',
    test: 'test/deployment/history.test.ts',
    file: HISTORY,
    guard: '  if (run === undefined) return undefined;\n',
    without: '',
  },
  {
    name: 'I1 a JobManager that may start its program again has not ended',
    test: HANDOVER,
    file: PREPARE,
    guard: 'if (startRevokedAt === undefined || beganAgain === true',
    without: 'if (beganAgain === true',
  },
  // The permit has to be there still when a job runs, has stopped and its JobManager dies: worlds hardly ever have that.
  {
    name: 'I1 a program that was begun again has not ended with the first',
    test: 'test/deployment/handover.test.ts',
    file: PREPARE,
    guard: ' || beganAgain === true || hasHighAvailability(',
    without: ' || hasHighAvailability(',
  },
  {
    name: 'I3 a run that ended before its permit leaves the state that it was to have',
    test: HANDOVER,
    file: PREPARE,
    guard: 'return startFrom === undefined ? bare : { ...bare, newest: startFrom };',
    without: 'return bare;',
  },
  {
    name: 'I8 what never came true is told',
    test: GENERATIONS,
    file: 'lib/deployment/generations.ts',
    guard: 'if (wanted === reached || wanted === run?.generation) return record;',
    without: 'if (wanted !== 0 || run !== undefined || reached === 0) return record;',
  },
  {
    name: 'I9 an older upload takes nobody’s place',
    test: GENERATIONS,
    file: 'lib/deployment/generations.ts',
    guard: 'const superseded = late || isOlderUpload(record, request);',
    without: 'const superseded = late;',
  },
  {
    name: 'I10 nothing is rolled back past a checkpoint',
    test: ROLLBACKS,
    file: ROLLBACK,
    guard: 'cause === undefined || newState(record, own, run) !== undefined)',
    without: 'cause === undefined)',
  },
  {
    name: 'I10 what is rolled back to is not rolled back',
    test: 'test/deployment/after-run.test.ts',
    file: ROLLBACK,
    guard: 'failed === undefined || failed.job === target.job) return undefined;',
    without: 'failed === undefined) return undefined;',
  },
  {
    name: 'I10 a rollback has the state that the stable generation left',
    test: ROLLBACKS,
    file: ROLLBACK,
    guard: 'return isItsOwn ? target : undefined;',
    without: 'return isItsOwn || failed.job !== target.job ? target : undefined;',
  },
  {
    name: 'I10 nothing is rolled back by itself against its spec',
    test: ROLLBACKS,
    file: ROLLBACK,
    guard: " || wanted.plan.rollback === 'manual'",
    without: '',
  },
  {
    name: 'I10 a run that has new state is not ended for being unstable',
    test: ROLLBACKS,
    file: STABLE,
    guard: 'if (!hasState && targetOf(record, own) !== undefined) {',
    without: 'if (targetOf(record, own) !== undefined) {',
  },
  {
    name: 'I6 what a rollback needs is not deleted',
    test: ROLLBACKS,
    file: HISTORY,
    guard: '    stable?.left,\n',
    without: '',
  },
  {
    name: 'I8 what was rolled back is not tried again by itself',
    test: ROLLBACKS,
    file: 'lib/deployment/generations.ts',
    guard: 'const rejection = superseded ? undefined : rejectionOf(record, sent, request, wanted);',
    without: 'const rejection = superseded ? rejectionOf(record, sent, request, wanted) : undefined;',
  },
  {
    name: 'I3 nobody goes back behind the newest state without saying so',
    test: ROLLBACKS,
    file: 'lib/dispatch/deployment/order.ts',
    guard: '  if (isNewest || order.acceptDuplicates) return path;\n',
    without: '  if (isNewest || !order.acceptDuplicates || order.acceptDuplicates) return path;\n',
  },
  {
    name: 'I12 a job whose first checkpoint is under way goes on',
    test: ROLLBACKS,
    file: STABLE,
    guard: '  if (health.takesCheckpoint && failed === 0) return undefined;\n',
    without: '',
  },
  {
    name: 'I12 what is not answered ends no run',
    test: ROLLBACKS,
    file: STABLE,
    guard: "  if (health?.at !== checkpoints.at) return { kind: 'wait' };\n",
    without: "  if (health === undefined) return { kind: 'unstable', hasState: false, message: '', restarts: 0 };\n",
  },
  {
    name: 'I9 of two uploads the later one is wanted, whichever was accepted first',
    test: GENERATIONS,
    file: 'lib/deployment/generations.ts',
    guard: 'return !isOfItsKey || isOlderUpload(record, request);',
    without: 'return true;',
  },
  {
    name: 'I9 an upload that comes too late is the newest of its key',
    test: GENERATIONS,
    file: 'lib/deployment/generations.ts',
    guard: 'upload: isNewest ? upload : newest',
    without: 'upload: newest',
  },
  {
    name: 'I7 what comes too late is told, whatever becomes of its message',
    test: GENERATIONS,
    file: 'lib/deployment/generations.ts',
    guard: '{ ...told, dueAt: now, ',
    without: '{ ...told, ',
  },
  {
    name: 'I4 a job that finished has no state to go on from',
    test: 'test/deployment/start.test.ts',
    file: START,
    guard: 'const known = newest ?? record.snapshots.at(-1)?.snapshot;',
    without: 'const known = newest;',
  },
  {
    name: 'I11 a suspended deployment sends no messages',
    test: DEPLOYMENTS,
    file: DECIDE,
    guard: 'return rest(suspended(record, now), wanted, now);',
    without: 'return { ...rest(suspended(record, now), wanted, now), dueAt: now + TRANSITION };',
  },
  {
    name: 'I12 an upgrade that failed leaves the run alone',
    test: DEPLOYMENTS,
    file: STOP,
    guard: '  if (record.settled?.generation === wanted.number) return undefined;\n',
    without: '',
  },
];
