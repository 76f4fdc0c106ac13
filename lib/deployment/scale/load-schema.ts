import * as z from 'zod';
import type { LoadSample } from './recommend.ts';

const sample = z.looseObject({
  at: z.number(),
  parallelism: z.number(),
  busy: z.number(),
  held: z.number(),
}) satisfies z.ZodType<LoadSample>;

export const loadSchema = z.looseObject({ at: z.number(), samples: z.array(sample) });
