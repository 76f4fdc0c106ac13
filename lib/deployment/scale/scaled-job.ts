import { defined } from '../../core/defined.ts';
import { sha256Hex } from '../../core/ids.ts';
import { canonicalJson } from '../../core/json.ts';
import type { Scale } from '../../job/scale.ts';
import type { DeploymentRequest, Generation } from '../record.ts';

/** The text of a job, from what its text is without its parallelism. */
export function scaledText(unscaled: string, scale: Scale): string {
  return sha256Hex(canonicalJson({ unscaled, scale }));
}

/** A job that follows its load goes on with the parallelism that it has, whatever it began with. */
export function following(
  sent: Generation,
  { sameJob }: DeploymentRequest,
  wanted: Generation | undefined,
): Generation {
  const { plan, scale } = sent;
  const before = wanted?.plan.autoscale && wanted.scale;
  if (sameJob !== undefined || plan.autoscale === undefined || scale === undefined || !before) return sent;
  const { min, max } = plan.autoscale;
  const parallelism = Math.min(max, Math.max(min, before.parallelism));
  const { of, vertices } = scale;
  return { ...sent, scale: { ...scale, parallelism }, job: scaledText(of, { parallelism, ...defined({ vertices }) }) };
}
