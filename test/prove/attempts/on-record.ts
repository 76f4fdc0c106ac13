import type { RunRecord } from '../../../lib/run/record.ts';
import type { Put } from '../servers/s3.ts';
import type { World } from '../world.ts';

/** Looks at each record of a run as it is written, after whoever looked before. */
export function onRecord({ s3, invariants }: World, look: (record: RunRecord, put: Put) => void): void {
  const { onPut } = s3;
  s3.onPut = (put) => {
    onPut(put);
    const record = invariants.recordOf(put);
    if (record !== undefined) look(record, put);
  };
}
