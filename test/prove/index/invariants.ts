import type { RunRecord } from '../../../lib/run/record.ts';
import { rowOf, rowText } from '../../../lib/run/row.ts';
import { LEDGER } from '../functions.ts';
import type { Check } from '../record-invariants.ts';
import type { MemoryS3 } from '../servers/s3.ts';

const ROWS = `${LEDGER}/index/rows/`;
const SHEETS = `${LEDGER}/index/older/`;

/** When all runs are closed: each has its row in the index, and nothing else is there. */
export function checkIndex(check: Check, records: readonly RunRecord[], s3: MemoryS3): void {
  const rows = new Set([
    ...s3.keys(ROWS).map((path) => path.slice(ROWS.length)),
    ...s3.keys(SHEETS).flatMap((path) => s3.text(path)?.split('\n') ?? []),
  ]);
  for (const record of records) {
    const row = rowText(rowOf(record));
    check('a closed run has its row', rows.has(row), () => `${record.name}: ${row}`);
    rows.delete(row);
  }
  check('the index has a row for each closed run, and no other', rows.size === 0, () => [...rows].join(', '));
}
