import * as z from 'zod';
import { jobSpecSchema } from '../spec/spec.ts';

const text = z.string().min(1);

/** Defaults for what matches. */
export const rule = z.strictObject({
  match: z
    .strictObject({ bucket: text.optional(), key: text.optional(), job: text.optional() })
    .refine((match) => Object.keys(match).length > 0, 'must name a bucket, a key or a job'),
  spec: jobSpecSchema,
});
