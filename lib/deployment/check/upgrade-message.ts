import type { DeploymentRecord, Generation } from '../record.ts';
import { stateMessage } from './state-check.ts';

/** What is to be known of the way that an upgrade goes. */
export function upgradeMessage({ unscaled, next }: DeploymentRecord, { number }: Generation): string | undefined {
  if (unscaled?.generation === number) return notInPlace(unscaled.message);
  return next?.generation === number && next.checked !== undefined ? stateMessage(next.checked) : undefined;
}

function notInPlace(why: string): string {
  return `Another run takes its place, since the parallelism could not be changed in it: ${why}`;
}
