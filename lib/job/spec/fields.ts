import * as z from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { describeError } from '../../core/errors.ts';
import { everFires, parseCron } from '../calendar/cron.ts';
import { parseFlinkMemory, parseQuantity, toFlinkMemory } from './quantity.ts';
import { isTimeZone } from './zoned-time.ts';

/** A field that is text with a notation of its own: what `parse` makes of it, or the error `must be …`. */
function parsed<I extends z.ZodType, O>(schema: I, parse: (value: z.output<I>) => O | undefined, message: string) {
  return schema.transform((value, context): O => {
    const result = parse(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

const DURATION = 'must be a duration with a unit, up to a year: 90s, 10m, 1h, PT1H30M';

/** Milliseconds. */
export const duration = parsed(
  z.string('must be a duration with a unit, in quotes where YAML needs them: 90s, 10m, 1h, PT1H30M'),
  parseDuration,
  DURATION,
);

/** A memory size as Flink takes it. */
export const memory = parsed(
  z.string('must be a memory size with a unit: 2048m, 2g or 2Gi'),
  toFlinkMemory,
  'must be a memory size: 2048m, 2g or 2Gi',
);

/** A memory size in bytes. */
export const bytes = parsed(
  z.string(),
  (value) => parseFlinkMemory(toFlinkMemory(value) ?? ''),
  'must be a memory size: 8g or 8Gi',
);

const CPU = 'must be a number of cores: 1, 0.5 or 500m';

/** Cores. */
export const cpu = parsed(
  z.union([z.number(), z.string()], CPU),
  (value) => {
    const cores = typeof value === 'number' ? value : parseQuantity(value);
    return cores !== undefined && cores > 0 && cores <= 1024 ? cores : undefined;
  },
  CPU,
);

/** A quantity as Kubernetes writes it. */
export const quantity = parsed(
  z.union([z.string(), z.number()]),
  (value) => (parseQuantity(String(value)) === undefined ? undefined : String(value)),
  'must be a Kubernetes quantity: 500m, 2Gi',
);

/** The least size that a pod can do anything with: below it, `m` (milli) was written for `M` or `Mi`. */
const LEAST_STORAGE = 2 ** 20;

/** Kubernetes bytes of a disk. */
export const storage = quantity.superRefine((value, context) => {
  const bytes = parseQuantity(value) ?? 0;
  if (bytes >= LEAST_STORAGE) return;
  const meant = /m$/.test(value) ? `: in a Kubernetes quantity m is a thousandth. Write ${value.slice(0, -1)}Mi` : '';
  context.addIssue({ code: 'custom', message: `${value} is ${bytes} bytes, and must be at least 1Mi${meant}` });
});

/** Times of a calendar, as EventBridge Scheduler writes them. */
export const cronExpression = z
  .string()
  .max(256)
  .superRefine((value, context) => {
    const wrong = whyNoCron(value);
    if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong });
  });

/** Undefined: it is one. */
export function whyNoCron(value: string): string | undefined {
  try {
    return everFires(parseCron(value)) ? undefined : `has no day in any year: '${value.slice(0, 80)}'`;
  } catch (error) {
    return describeError(error).replace(/^cron:? /, '');
  }
}

export const timeZone = z.string().max(64).refine(isTimeZone, "must be a time zone's name, such as Europe/Berlin");
