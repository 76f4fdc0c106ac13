import type { RunSource } from '../../trigger/request.ts';
import { matchesGlob } from '../policy/glob.ts';
import type { JobSpec } from '../spec/spec.ts';
import type { DispatchConfig } from './dispatch-config.ts';

export interface LayersInput {
  /** Lowest first. */
  readonly user: readonly JobSpec[];
  readonly source: RunSource;
  readonly storedJob: string | undefined;
}

/**
 * The layers, lowest first: the deployment's defaults, those of the target, every rule that matches in its order; then
 * the user's. The target is the one that all other layers name.
 */
export function layersFor(
  deployment: DispatchConfig,
  input: LayersInput,
): { trusted: readonly JobSpec[]; user: readonly JobSpec[] } {
  const rules = deployment.rules.filter(({ match }) => matches(match, input)).map(({ spec }) => spec);
  const named =
    [deployment.defaults, ...rules, ...input.user].findLast((spec) => spec.target !== undefined)?.target ?? 'default';
  const config = Object.hasOwn(deployment.targets, named) ? deployment.targets[named] : undefined;
  return { trusted: [deployment.defaults, ...(config?.defaults ? [config.defaults] : []), ...rules], user: input.user };
}

/** All that a rule names must match; a rule on buckets or keys matches uploads alone. */
function matches(match: DispatchConfig['rules'][number]['match'], { source, storedJob, user }: LayersInput): boolean {
  const upload = source.kind === 'jar-upload' ? source : undefined;
  const job = storedJob ?? user.findLast((spec) => spec.name !== undefined)?.name;
  return fits(match.bucket, upload?.bucket) && fits(match.key, upload?.key) && fits(match.job, job);
}

function fits(pattern: string | undefined, value: string | undefined): boolean {
  return pattern === undefined || (value !== undefined && matchesGlob(pattern, value));
}
