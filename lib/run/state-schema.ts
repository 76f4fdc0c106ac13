import * as z from 'zod';
import { REASON_CODES } from '../core/reasons.ts';
import type { StatePlan } from '../job/job.ts';
import type { StopFailure, StopRequest } from './record.ts';

/*
 * What a record has of a stream's state; fields that this version does not know are kept.
 */

const instant = z.number();

export const statePlan = z.looseObject({
  upgradeMode: z.enum(['savepoint', 'last-state', 'stateless']),
  fallback: z.enum(['none', 'last-state']),
  format: z.enum(['CANONICAL', 'NATIVE']),
  savepointDeadline: z.number(),
  savepointDirectory: z.string().exactOptional(),
  checkpointDirectory: z.string().exactOptional(),
  maxCheckpointAge: z.number().exactOptional(),
  savepointEvery: z.number().exactOptional(),
  savepointSchedule: z.looseObject({ cron: z.string(), timeZone: z.string() }).exactOptional(),
  probation: z.number(),
  rollback: z.enum(['automatic', 'manual']),
  prepareUpgrade: z.literal(true).exactOptional(),
  checkState: z.literal(true).exactOptional(),
  autoscale: z
    .looseObject({ min: z.number(), max: z.number(), target: z.number(), window: z.number() })
    .exactOptional(),
  history: z.looseObject({ count: z.number(), age: z.number() }),
}) satisfies z.ZodType<StatePlan>;

const savepointTry = z.looseObject({
  ordinal: z.int().positive(),
  triggerId: z.string(),
  directory: z.string(),
  format: z.enum(['CANONICAL', 'NATIVE']),
  drain: z.boolean(),
});
const stopBase = { at: instant, by: z.string(), reason: z.enum(REASON_CODES) };
export const stopRequest = z.discriminatedUnion('mode', [
  z.looseObject({
    ...stopBase,
    mode: z.literal('savepoint'),
    savepoint: savepointTry,
    until: instant,
    fallback: z.enum(['none', 'last-state']),
  }),
  z.looseObject({ ...stopBase, mode: z.literal('last-state') }),
]) satisfies z.ZodType<StopRequest>;

export const stopFailed = z.looseObject({
  ...stopBase,
  message: z.string(),
  ordinal: z.int().positive(),
}) satisfies z.ZodType<StopFailure>;
