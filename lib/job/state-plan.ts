import type { Duration } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { autoscaleOf } from './autoscale.ts';
import type { FlinkOptions, ResolvedJob, StatePlan, UpgradeMode } from './job.ts';
import { programKind } from './jar/program.ts';
import { operatorState, type OperatorState } from './spec/operator-options.ts';
import type { JobSpec } from './spec/spec.ts';

const MINUTE: Duration = 60_000;
const DAY: Duration = 24 * 60 * MINUTE;

/** The names under which Flink reads a directory, the newest first: 1.20 and later read them all. */
const SAVEPOINTS = ['execution.checkpointing.savepoint-dir', 'state.savepoints.dir'] as const;
const CHECKPOINTS = ['execution.checkpointing.dir', 'state.checkpoints.dir'] as const;
type Names = typeof SAVEPOINTS | typeof CHECKPOINTS;

type Draft = Pick<ResolvedJob, 'mode' | 'flinkVersion' | 'options' | 'jar'>;

/**
 * Why a job keeps its state although its spec does not say so: it is a version of a `stream`, or takes the place of a run of
 * which that is a `guess`, so that it still counts as one that may finish.
 */
export type TakenFor = 'stream' | 'guess';

/** Whether a spec is that of a stream that keeps its state: one that a deployment owns. */
function asksForState({ job = {} }: JobSpec, mode: ResolvedJob['mode'], takenFor: TakenFor | undefined): boolean {
  if (mode === 'session') return false;
  if (takenFor !== undefined) return true;
  if (job.kind === 'batch') return false;
  return job.kind === 'streaming' || (job.upgradeMode !== undefined && job.upgradeMode !== 'stateless');
}

/**
 * How a stream keeps its state; undefined for every other job.
 * @throws DispatchError `InvalidSpec`, `InvalidConfiguration` for a plan without a directory for the state
 */
export function statePlanOf(spec: JobSpec, draft: Draft, takenFor?: TakenFor): StatePlan | undefined {
  if (!asksForState(spec, draft.mode, takenFor)) return undefined;
  const job = spec.job ?? {};
  const operators = operatorState(spec.flinkConfiguration);
  const savepointDirectory = directory(draft, SAVEPOINTS);
  const checkpointDirectory = directory(draft, CHECKPOINTS);
  const upgradeMode = job.upgradeMode ?? defaultMode(savepointDirectory, checkpointDirectory, draft.flinkVersion);
  const plan: StatePlan = {
    upgradeMode,
    fallback: job.fallback ?? operators.fallback ?? 'none',
    format: job.savepointFormat ?? operators.format ?? defaultFormat(draft.options),
    savepointDeadline: job.savepointDeadline ?? 15 * MINUTE,
    ...defined({ savepointDirectory, checkpointDirectory }),
    ...defined({ maxCheckpointAge: job.maxCheckpointAge ?? operators.maxCheckpointAge }),
    ...periodicOf(job, operators),
    probation: job.probation ?? operators.probation ?? 5 * MINUTE,
    rollback: job.rollback ?? operators.rollback ?? 'automatic',
    ...preparation(job, draft),
    ...defined({ autoscale: autoscaleOf(job, draft) }),
    history: historyOf(job, operators),
  };
  checkDirectories(plan, spec, draft.flinkVersion);
  return plan;
}

/** Only the JobManager of a prepared run makes a plan before the last run is asked to end. */
function preparation({ prepareUpgrade, checkState }: NonNullable<JobSpec['job']>, draft: Draft): Partial<StatePlan> {
  const prepared = prepareUpgrade === true ? checkPreparable(draft) : {};
  if (checkState !== true) return prepared;
  if (prepareUpgrade === true) return { ...prepared, checkState };
  throw invalid('job.checkState', 'true needs job.prepareUpgrade: true, by which there is a plan of the new program');
}

/** Whether a job that was launched as a plain run has a place for savepoints. */
export function hasSavepointDirectory(job: Draft): boolean {
  return directory(job, SAVEPOINTS) !== undefined;
}

/** The program is handed to a JobManager that is there already, as in a session. */
function checkPreparable({ mode, jar, options }: Draft): Pick<StatePlan, 'prepareUpgrade'> {
  const field = 'job.prepareUpgrade';
  if (mode !== 'application') throw invalid(field, `is for mode application: leave it out in mode ${mode}`);
  if (jar.s3 === undefined || programKind(jar.uri) !== 'jar') {
    throw invalid(field, 'needs a job.jarURI that names a jar and begins with s3://, which is sent to the JobManager');
  }
  if (options['web.submit.enable']?.toLowerCase() === 'false') {
    throw invalid(field, 'needs a JobManager that takes programs: leave web.submit.enable out of flinkConfiguration');
  }
  return { prepareUpgrade: true };
}

/** By an interval, by the calendar, or both; the operator's option where the job's own fields say nothing. */
function periodicOf(
  { savepointInterval, savepointSchedule: schedule }: NonNullable<JobSpec['job']>,
  { savepointEvery, savepointSchedule }: OperatorState,
): Pick<StatePlan, 'savepointEvery' | 'savepointSchedule'> {
  if (savepointInterval === undefined && schedule === undefined) return defined({ savepointEvery, savepointSchedule });
  const calendar = schedule && { cron: schedule.cron, timeZone: schedule.timeZone ?? 'UTC' };
  return defined({ savepointEvery: savepointInterval, savepointSchedule: calendar });
}

function historyOf({ savepointHistory }: NonNullable<JobSpec['job']>, operators: OperatorState): StatePlan['history'] {
  return {
    count: savepointHistory?.count ?? operators.historyCount ?? 10,
    age: savepointHistory?.age ?? operators.historyAge ?? 7 * DAY,
  };
}

/** Never empty unless somebody said so. */
function defaultMode(savepoints: string | undefined, checkpoints: string | undefined, version: string): UpgradeMode {
  if (savepoints !== undefined) return 'savepoint';
  if (checkpoints !== undefined) return 'last-state';
  throw invalid(
    'job.upgradeMode',
    `is missing: a stream needs savepoint, with ${nameOf(SAVEPOINTS, version)}, last-state, with ` +
      `${nameOf(CHECKPOINTS, version)}, or stateless, by which each upgrade starts with empty state`,
  );
}

/** Asynchronous state (ForSt) has no canonical form. */
function defaultFormat(options: FlinkOptions): StatePlan['format'] {
  return options['state.backend.type']?.toLowerCase() === 'forst' ? 'NATIVE' : 'CANONICAL';
}

function checkDirectories(plan: StatePlan, spec: JobSpec, version: string): void {
  const { upgradeMode, fallback } = plan;
  const [savepoints, checkpoints] = [nameOf(SAVEPOINTS, version), nameOf(CHECKPOINTS, version)];
  const needs = (field: string, value: string, option: string): DispatchError =>
    invalid(field, `${value} needs flinkConfiguration.${option}: where its state is kept, such as s3://bucket/prefix`);
  if (plan.savepointDirectory === undefined) {
    if (upgradeMode === 'savepoint') throw needs('job.upgradeMode', 'savepoint', savepoints);
    if (plan.maxCheckpointAge !== undefined)
      throw needs('job.maxCheckpointAge', `${plan.maxCheckpointAge} ms`, savepoints);
    if (plan.savepointEvery !== undefined)
      throw needs('job.savepointInterval', `${plan.savepointEvery} ms`, savepoints);
    if (plan.savepointSchedule !== undefined)
      throw needs('job.savepointSchedule', plan.savepointSchedule.cron, savepoints);
    const nonce = spec.job?.savepointTriggerNonce;
    if (nonce !== undefined) throw needs('job.savepointTriggerNonce', String(nonce), savepoints);
  }
  if (plan.checkpointDirectory !== undefined) return;
  if (upgradeMode === 'last-state') throw needs('job.upgradeMode', 'last-state', checkpoints);
  if (upgradeMode === 'savepoint' && fallback === 'last-state') throw needs('job.fallback', 'last-state', checkpoints);
}

function directory({ options }: Draft, names: Names): string | undefined {
  const name = names.find((key) => options[key] !== undefined && options[key] !== '');
  if (name === undefined) return undefined;
  const text = options[name] ?? '';
  if (/^[a-z][a-z0-9+.-]*:\/\/?[^\s?#]+$/i.test(text)) return text.replace(/\/+$/, '');
  throw new DispatchError(
    'InvalidConfiguration',
    `${name} '${text.slice(0, 200)}' must be a URI with a scheme, such as s3://bucket/prefix`,
    { field: name },
  );
}

/** Flink 1.19 knows the old name alone. */
function nameOf([now, old]: Names, version: string): string {
  return version === '1.19' ? old : now;
}

/** What a spec wants of its deployment beside the job. */
export interface DeploymentWish {
  readonly state: 'running' | 'suspended';
  /** A number that has changed asks for one act. */
  readonly nonces: {
    readonly restart?: number;
    readonly savepointTrigger?: number;
    readonly checkpointTrigger?: number;
    readonly savepointRedeploy?: number;
  };
  /** What the first run starts from, and with a new `savepointRedeploy` another one. */
  readonly initialSavepointPath?: string;
}

export function wishOf(spec: JobSpec, options: FlinkOptions): DeploymentWish {
  const { job = {}, restartNonce } = spec;
  const path = RESTORE_PATHS.map((key) => options[key]).find((value) => value !== undefined && value !== '');
  return {
    state: job.state ?? 'running',
    nonces: defined({
      restart: restartNonce,
      savepointTrigger: job.savepointTriggerNonce,
      checkpointTrigger: job.checkpointTriggerNonce,
      savepointRedeploy: job.savepointRedeployNonce,
    }),
    ...defined({ initialSavepointPath: path }),
  };
}

const RESTORE_PATHS = ['execution.state-recovery.path', 'execution.savepoint.path'] as const;

/** What a run of a deployment starts from is the deployment's to say. */
export function withoutRestorePath(options: FlinkOptions): FlinkOptions {
  const paths: readonly string[] = RESTORE_PATHS;
  return Object.fromEntries(Object.entries(options).filter(([key]) => !paths.includes(key)));
}

function invalid(field: string, what: string): DispatchError {
  return new DispatchError('InvalidSpec', `${field} ${what}`, { field });
}
