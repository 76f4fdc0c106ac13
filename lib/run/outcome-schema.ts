import * as z from 'zod';
import { REASON_CODES } from '../core/reasons.ts';
import type { Outcome } from './record.ts';

const instant = z.number();
const texts = z.record(z.string(), z.string());

/** An outcome in a record; fields that this version does not know are kept. */
export const outcomeSchema = z.looseObject({
  state: z.enum(['succeeded', 'failed', 'canceled', 'rejected', 'skipped', 'unknown']),
  reason: z.enum(REASON_CODES),
  message: z.string(),
  field: z.string().exactOptional(),
  rootException: z.string().exactOptional(),
  stackTrace: z.string().exactOptional(),
  accumulators: texts.exactOptional(),
  at: instant,
  jobs: z
    .array(
      z.looseObject({
        id: z.string(),
        name: z.string().exactOptional(),
        state: z.string(),
        ...{ startedAt: instant.exactOptional(), duration: z.number().exactOptional() },
        accumulators: texts.exactOptional(),
      }),
    )
    .exactOptional(),
  jobDuration: z.number().exactOptional(),
  flinkState: z.string().exactOptional(),
  rule: z.string().exactOptional(),
  evidence: z.array(z.string()),
}) satisfies z.ZodType<Outcome>;
