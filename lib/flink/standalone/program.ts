import { DispatchError } from '../../core/errors.ts';
import { FLINK } from '../options/flink.ts';
import { option } from '../options/option.ts';
import type { Plan } from '../native/deployment-plan.ts';
import { JOB_ID } from './options.ts';

/**
 * What the image's entry point is given: `standalone-job` with the program, or `jobmanager`. Everything after `--`
 * belongs to the program, though it may look like a flag of Flink's.
 * @throws DispatchError `InvalidConfiguration`
 */
export function jobManagerArgs(plan: Plan): string[] {
  const address = plan.highAvailability ? ['-Djobmanager.rpc.address=$(_POD_IP_ADDRESS)'] : [];
  if (plan.request.mode === 'session') return ['jobmanager', ...address];
  const { configuration } = plan;
  const entryClass = configuration.getOptional(FLINK.mainClass);
  const jobId = configuration.getOptional(JOB_ID);
  const jars = configuration.getOptional(FLINK.jars) ?? [];
  const args = configuration.getOptional(FLINK.programArgs) ?? [];
  const jarsArg = remoteJars(plan) === undefined ? verbatim(jars.join(',')) : `$(${JARS})`;
  return [
    'standalone-job',
    ...address,
    ...(entryClass === undefined ? [] : ['--job-classname', verbatim(entryClass)]),
    ...(jobId === undefined ? [] : ['--job-id', verbatim(jobId)]),
    ...(jars.length === 0 ? [] : ['--jars', jarsArg]),
    ...restoreArgs(plan).map(verbatim),
    ...(args.length === 0 ? [] : ['--', ...args.map(verbatim)]),
  ];
}

/** In the JobManager's environment, and in its ConfigMap. */
export const JARS = 'FLINK_DISPATCH_JARS';

/**
 * Jars at URLs, which may be signed and end: they stand in the ConfigMap, where they can be replaced, and not among the
 * arguments. Undefined for jars of the image.
 */
export function remoteJars({ configuration }: Plan): string | undefined {
  const jars = configuration.getOptional(FLINK.jars) ?? [];
  return jars.some((jar) => /^https?:/i.test(jar)) ? jars.join(',') : undefined;
}

/** Kubernetes replaces `$(NAME)` in arguments, and `$$(` by `$(`. */
function verbatim(argument: string): string {
  return argument.replaceAll('$(', '$$$$(');
}

/** The entry point writes its arguments over what the configuration says, and has none for the claim mode. */
function restoreArgs({ configuration, rules }: Plan): string[] {
  const { path, ignoreUnclaimed, claimMode } = rules.recoveryKeys;
  const from = configuration.getOptional(option.string(path));
  if (from === undefined) return [];
  const mode = configuration.getOptional(option.string(claimMode)) ?? 'NO_CLAIM';
  if (mode.toUpperCase() !== 'NO_CLAIM') {
    throw new DispatchError(
      'InvalidConfiguration',
      `${claimMode} '${mode}': a standalone application always restores with NO_CLAIM`,
      { field: claimMode },
    );
  }
  const ignore = configuration.getOptional(option.boolean(ignoreUnclaimed)) ?? false;
  return ['--fromSavepoint', from, ...(ignore ? ['--allowNonRestoredState'] : [])];
}
