import * as z from 'zod';
import type { StateCheck } from './state-check.ts';

export const stateCheckSchema = z.looseObject({
  at: z.number(),
  result: z.enum(['fits', 'drops', 'unknown']),
  message: z.string().exactOptional(),
  path: z.string().exactOptional(),
}) satisfies z.ZodType<StateCheck>;
