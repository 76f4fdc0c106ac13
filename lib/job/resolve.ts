import { defined } from '../core/defined.ts';
import { DispatchError } from '../core/errors.ts';
import { MAX_CLUSTER_ID_LENGTH } from '../core/ids.ts';
import type { DispatchConfig, TargetConfig } from './config/dispatch-config.ts';
import { exposure } from './config/exposure.ts';
import type { FlinkOptions, Jar, ResolvedJob, StatePlan } from './job.ts';
import { notesOn } from './spec/manifest.ts';
import { isJobName } from './spec/name.ts';
import { optionsOf } from './spec/options.ts';
import { podTemplatesOf } from './spec/pod-template.ts';
import { modeOf } from './session.ts';
import { statePlanOf, type TakenFor } from './state-plan.ts';
import { reachable } from './config/rest-access.ts';
import type { JobSpec } from './spec/spec.ts';

const MINUTE = 60_000;

export interface ResolveContext {
  readonly jar: Jar;
  readonly name: string;
  readonly deployment: DispatchConfig;
  readonly takenFor?: TakenFor | undefined;
}

/**
 * A merged spec as the job that a run launches; what no layer says gets its default here.
 * @throws DispatchError `InvalidName`, `InvalidSpec`, `UnknownTarget`, `InvalidConfiguration`
 */
export function resolveJob(spec: JobSpec, { jar, name, deployment, takenFor }: ResolveContext): ResolvedJob {
  checkName(name);
  const { target, config } = targetOf(spec, deployment);
  const { flinkVersion } = spec;
  if (flinkVersion === undefined) {
    throw new DispatchError('InvalidSpec', 'flinkVersion is missing, and the deployment has no default for it', {
      field: 'flinkVersion',
    });
  }
  const ofMode = modeOf(spec, config, { jar, deployment });
  const options = reachable({ flinkVersion, options: { ...exposure(config), ...optionsOf(spec, name) } }, config);
  const state = statePlanOf(spec, { mode: ofMode.mode, flinkVersion, options, jar }, takenFor);
  checkSuspended(spec, state);
  const notes = notesOn(spec, state !== undefined);
  const logs = spec.logConfiguration;
  return {
    name,
    ...ofMode,
    target,
    namespace: spec.namespace ?? config.namespace,
    flinkVersion,
    options: state?.upgradeMode === 'last-state' ? withCheckpoints(options) : options,
    podTemplates: podTemplatesOf(spec),
    jar,
    ...defined({ entryClass: spec.job?.entryClass }),
    args: spec.job?.args ?? [],
    kind: takenFor === 'stream' ? 'streaming' : (spec.job?.kind ?? kindOf(spec)),
    ...(state === undefined ? lifecycle(spec, name) : { ...ofStream(lifecycle(spec, name)), state }),
    ...(ofMode.mode === 'session' ? {} : fastStartOf(spec)),
    ...(logs && { logConfiguration: definedText(logs) }),
    ...(notes.length > 0 && { notes }),
  };
}

function checkName(name: string): void {
  if (isJobName(name)) return;
  const rule = `at most ${MAX_CLUSTER_ID_LENGTH} lower-case letters, digits and '-', beginning with a letter and ending with a letter or digit`;
  throw new DispatchError('InvalidName', `name '${name.slice(0, 80)}' must be ${rule}: it begins the cluster-id`, {
    field: 'name',
  });
}

function targetOf(spec: JobSpec, deployment: DispatchConfig): { target: string; config: TargetConfig } {
  const target = spec.target ?? 'default';
  const config = Object.hasOwn(deployment.targets, target) ? deployment.targets[target] : undefined;
  if (config !== undefined) return { target, config };
  const known = Object.keys(deployment.targets).join(', ');
  throw new DispatchError('UnknownTarget', `target '${target}' is not configured: there are ${known}`, {
    field: 'target',
  });
}

function kindOf(spec: JobSpec): ResolvedJob['kind'] {
  const mode = spec.flinkConfiguration?.['execution.runtime-mode']?.toUpperCase();
  const upgrades = spec.job?.upgradeMode !== undefined && spec.job.upgradeMode !== 'stateless';
  return mode === 'STREAMING' || (mode !== 'BATCH' && upgrades) ? 'streaming' : 'batch';
}

type Lifecycle = Pick<ResolvedJob, 'deadlines' | 'retry' | 'concurrency' | 'afterEnd' | 'notify'>;

function fastStartOf({ fastStart }: JobSpec): Pick<ResolvedJob, 'fastStart'> {
  if (fastStart === undefined || fastStart === false) return {};
  return { fastStart: fastStart === 'short' ? 'short' : 'on' };
}

function lifecycle(spec: JobSpec, name: string): Lifecycle {
  const { deadlines = {}, retry = {}, afterEnd = {}, notify = [] } = spec;
  return {
    deadlines: {
      start: deadlines.start ?? 10 * MINUTE,
      ...defined({ run: deadlines.run, main: deadlines.main }),
    },
    retry: {
      attempts: retry.attempts ?? 1,
      backoff: retry.backoff ?? MINUTE,
      ...(retry.memory && { memory: { factor: retry.memory.factor ?? 1.5, limit: retry.memory.limit } }),
    },
    ...concurrencyOf(spec, name),
    afterEnd: { keepCluster: afterEnd.keepCluster ?? 'never', ttl: afterEnd.ttl ?? 60 * MINUTE },
    notify,
  };
}

/** One run at a time, and the next begins when nothing of it is left: both are the deployment's to see to. */
function ofStream({ deadlines, retry, afterEnd, notify }: Lifecycle): Lifecycle {
  return { deadlines, retry, afterEnd: { ...afterEnd, keepCluster: 'never' }, notify };
}

function checkSuspended({ job }: JobSpec, state: StatePlan | undefined): void {
  if (job?.state !== 'suspended' || state !== undefined) return;
  throw new DispatchError(
    'InvalidSpec',
    'job.state suspended needs job.kind: streaming in mode application or standalone: any other run that is not wanted is not asked for',
    { field: 'job.state' },
  );
}

/** Without checkpoints there would be no last state. */
function withCheckpoints(options: FlinkOptions): FlinkOptions {
  return { 'execution.checkpointing.interval': '5 min', ...options };
}

/** A policy alone holds for the runs of this name; a key alone forbids. */
function concurrencyOf({ concurrency }: JobSpec, name: string): Pick<ResolvedJob, 'concurrency'> {
  if (concurrency === undefined || Object.keys(concurrency).length === 0) return {};
  return { concurrency: { key: concurrency.key ?? name, policy: concurrency.policy ?? 'forbid' } };
}

function definedText(map: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
