import { findRun } from '../../operate/find-run.ts';
import { createS3SampleReader } from '../../run/store/history/s3-sample-store.ts';
import { createS3EvidenceReader } from '../../run/store/s3-evidence-store.ts';
import { createS3Ledger } from '../../run/store/s3-ledger.ts';
import { createS3LockReader } from '../../run/store/s3-locks.ts';
import type { Bucket } from '../../run/store/s3-objects.ts';
import { createS3RunList } from '../../run/store/s3-run-index.ts';
import type { ViewPorts } from './ports.ts';

/** What the page reads of runs in a ledger on S3: of all tenants. */
export function s3RunPorts(bucket: Bucket): Pick<ViewPorts, 'rows' | 'run' | 'evidence' | 'samples' | 'lock'> {
  const ledger = createS3Ledger(bucket);
  const runs = createS3RunList(bucket);
  return {
    rows: (wish) => runs.rows(wish),
    run: (named) => findRun(named, { kind: 'all' }, { ledger, runs }),
    evidence: createS3EvidenceReader(bucket),
    samples: createS3SampleReader(bucket),
    lock: createS3LockReader(bucket),
  };
}
