import { redactJson } from '../core/redaction/redact.ts';
import type { DeploymentRecord } from '../deployment/record.ts';
import type { Deployments } from '../deployment/store/deployments.ts';
import { requestOf } from '../dispatch/deployment/start-run.ts';
import { fieldChanges, type FieldChange } from './field-diff.ts';

/**
 * The fields in which two generations differ, without their secrets.
 * @throws DispatchError `Internal` for one that is not on record
 */
export async function generationChanges(
  record: DeploymentRecord,
  [before, after]: readonly [number, number],
  deployments: Deployments,
): Promise<readonly FieldChange[]> {
  const content = async (number: number): Promise<unknown> => {
    const { job, wish } = await requestOf(record, number, { deployments });
    return redactJson({ job, wish });
  };
  return fieldChanges(await content(before), await content(after));
}
