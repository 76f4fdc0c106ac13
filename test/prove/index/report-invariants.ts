import type { LifecycleEvent } from '../../../lib/outcome/schema.ts';
import type { RunRecord } from '../../../lib/run/record.ts';
import type { Check } from '../record-invariants.ts';
import type { MemoryS3 } from '../servers/s3.ts';

/** Of an end that is told: the report that it links is there, and says the same. */
export function checkReport(check: Check, { id, data }: LifecycleEvent, record: RunRecord, s3: MemoryS3): void {
  check('whether there is a report is recorded before the end is told', record.report !== undefined, () => id);
  check('an end links the report that is kept', (data.report !== undefined) === (record.report === 'kept'), () => id);
  if (data.report === undefined) return;
  const html = s3.text(data.report.replace('s3://', ''));
  check('a report that is linked is there', html !== undefined, () => id);
  const told = [data.runId, data.state, data.reason ?? ''].every((text) => html?.includes(text) === true);
  check('a report says what its event says', told, () => `${id}: ${data.state} ${data.reason ?? ''}`);
}
