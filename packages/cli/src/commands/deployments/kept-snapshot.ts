import type { DeploymentRecord, KeptSnapshot } from '../../../../../lib/deployment/record.ts';
import { UsageError } from '../../flags/usage.ts';

/** By its number in the history, or by its path. */
export function keptSnapshot({ snapshots }: DeploymentRecord, which: string): KeptSnapshot | undefined {
  return snapshots.find(({ ordinal, snapshot }) => String(ordinal) === which || snapshot.path === which);
}

export function noSuchSnapshot({ name }: DeploymentRecord, which: string): UsageError {
  return new UsageError(`'${which}': the history of ${name} has no such snapshot: deployments history lists them`);
}
