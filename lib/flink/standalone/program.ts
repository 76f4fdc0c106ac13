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
  return [
    'standalone-job',
    ...address,
    ...[
      ...(entryClass === undefined ? [] : ['--job-classname', entryClass]),
      ...(jobId === undefined ? [] : ['--job-id', jobId]),
      ...(jars.length === 0 ? [] : ['--jars', jars.join(',')]),
      ...restoreArgs(plan),
      ...(args.length === 0 ? [] : ['--', ...args]),
    ].map(verbatim),
  ];
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
