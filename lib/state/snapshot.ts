import * as z from 'zod';
import type { Instant } from '../core/clock.ts';
import { runIdSchema } from '../core/id-schemas.ts';
import type { RunId } from '../core/ids.ts';
import type { SavepointFormat } from '../flink/job-manager.ts';

export type { SavepointFormat };

/** A savepoint or a completed checkpoint of one job: what another can start from. */
export interface Snapshot {
  readonly kind: 'savepoint' | 'checkpoint';
  /** The directory that holds its `_metadata`, as Flink names it: `s3://bucket/state/savepoint-1a2b3c-4d5e6f`. */
  readonly path: string;
  readonly format?: SavepointFormat;
  /** Flink's number of it: in order among those of one job id, and of no other. */
  readonly checkpointId?: number;
  /** Whose job took it; absent for one that a person named. */
  readonly run?: RunId;
  /** When it was complete. */
  readonly at?: Instant;
  readonly bytes?: number;
}

/** A snapshot in a record; fields that this version does not know are kept. */
export const snapshotSchema = z.looseObject({
  kind: z.enum(['savepoint', 'checkpoint']),
  path: z.string(),
  format: z.enum(['CANONICAL', 'NATIVE']).exactOptional(),
  checkpointId: z.number().exactOptional(),
  run: runIdSchema.exactOptional(),
  at: z.number().exactOptional(),
  bytes: z.number().exactOptional(),
}) satisfies z.ZodType<Snapshot>;
