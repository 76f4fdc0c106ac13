import type { Bucket } from '../../../lib/run/store/s3-objects.ts';
import { MemoryS3 } from '../../prove/servers/s3.ts';
import { Invocation, type Effect } from '../../prove/simulation.ts';

/** A bucket of the simulated S3 in which nothing goes wrong: it answers after whoever else has asked. */
export function memoryBucket(): Bucket {
  const sim = {
    now: Date.now(),
    effect: <T>(_: Invocation, { act }: Effect<T>): Promise<T> => Promise.resolve().then(act),
  };
  const s3 = new MemoryS3(sim).client(new Invocation('a test'));
  return { s3, bucket: 'ledger', sleep: () => Promise.resolve() };
}
