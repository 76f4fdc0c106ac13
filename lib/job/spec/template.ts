import type { Instant } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { DispatchError } from '../../core/errors.ts';
import type { RunId } from '../../core/ids.ts';
import { tickOf, type RunSource } from '../../trigger/request.ts';
import type { JobSpec } from './spec.ts';
import { formatInstant, isTimeZone, shiftInstant, type Shift } from './zoned-time.ts';

export interface PlaceholderContext {
  readonly runId: RunId;
  /** Only a schedule has one. */
  readonly scheduledTime?: Instant;
  readonly now: Instant;
  readonly timeZone: string;
  /** Only an upload has them. */
  readonly upload?: { readonly bucket: string; readonly key: string };
}

/** @throws DispatchError `InvalidSpec` for a time zone that does not exist */
export function placeholderContext(
  source: RunSource,
  runId: RunId,
  now: Instant,
  timeZone = 'UTC',
): PlaceholderContext {
  if (!isTimeZone(timeZone)) {
    throw new DispatchError('InvalidSpec', `timeZone '${timeZone}' is not an IANA time zone`, { field: 'timeZone' });
  }
  return {
    runId,
    now,
    timeZone,
    ...defined({ scheduledTime: tickOf(source)?.scheduledTime }),
    ...(source.kind === 'jar-upload' ? { upload: { bucket: source.bucket, key: source.key } } : {}),
  };
}

/**
 * Fills `{{name}}`, `{{name offset}}`, `{{name format}}`, `{{name offset format}}` in `job.args`, the values of
 * `flinkConfiguration` and `job.initialSavepointPath`; `\{{` stays `{{`. A value that is filled in is never read again.
 * @throws DispatchError `InvalidSpec` for an unknown placeholder
 */
export function fillPlaceholders(spec: JobSpec, context: PlaceholderContext): JobSpec {
  const { job, flinkConfiguration } = spec;
  const fillAt = (field: string) => (text: string) => fill(text, field, context);
  const args = job?.args?.map((arg, i) => fillAt(`job.args[${i}]`)(arg));
  const path = job?.initialSavepointPath;
  const options = Object.entries(flinkConfiguration ?? {}).map(([key, value]) => {
    return [key, fillAt(`flinkConfiguration[${JSON.stringify(key)}]`)(value)] as const;
  });
  return {
    ...spec,
    ...(flinkConfiguration && { flinkConfiguration: Object.fromEntries(options) }),
    ...(job && {
      job: {
        ...job,
        ...defined({ args }),
        ...(path !== undefined && { initialSavepointPath: fillAt('job.initialSavepointPath')(path) }),
      },
    }),
  };
}

function fill(text: string, field: string, context: PlaceholderContext): string {
  return text.replace(/\\\{\{|\{\{([^{}]*)\}\}|\{\{/g, (whole: string, inside: string | undefined) => {
    if (whole === '\\{{') return '{{';
    if (inside === undefined) throw bad(field, "'{{' is not closed; write \\{{ for the two characters themselves");
    return valueOf(inside.trim(), field, context);
  });
}

const PLACEHOLDER = /^([A-Za-z]+)(?:\s*([+-]\s*\d{1,6})(s|m|h|d))?(?:\s+(\S.*))?$/;

function valueOf(inside: string, field: string, context: PlaceholderContext): string {
  const [, name, count, unit, format] = PLACEHOLDER.exec(inside) ?? [];
  if (name === undefined) throw bad(field, `{{${inside}}} is not a placeholder`);
  const shift: Shift | undefined =
    count === undefined ? undefined : { count: Number(count.replace(/\s/g, '')), unit: unit as Shift['unit'] };
  if (name === 'scheduledTime') return timeText(instantOf(context, name, field), { shift, format, field, context });
  if (name === 'scheduledDate') {
    return timeText(instantOf(context, name, field), { shift, format: format ?? 'yyyy-MM-dd', field, context });
  }
  if (name === 'acceptedTime') return timeText(context.now, { shift, format, field, context });
  if (shift !== undefined || format !== undefined) throw bad(field, `{{${name}}} takes no offset and no format`);
  if (name === 'runId') return context.runId;
  if (name === 'bucket' || name === 'key') {
    if (context.upload === undefined) throw bad(field, `{{${name}}} is known for uploads only`);
    return context.upload[name];
  }
  throw bad(field, `{{${name}}} is unknown: use scheduledTime, scheduledDate, acceptedTime, runId, bucket or key`);
}

function instantOf(context: PlaceholderContext, name: string, field: string): Instant {
  if (context.scheduledTime === undefined) throw bad(field, `{{${name}}} is known for schedules only`);
  return context.scheduledTime;
}

interface TimeText {
  readonly shift: Shift | undefined;
  readonly format: string | undefined;
  readonly field: string;
  readonly context: PlaceholderContext;
}

function timeText(instant: Instant, { shift, format, field, context }: TimeText): string {
  const at = shift === undefined ? instant : shiftInstant(instant, shift, context.timeZone);
  if (format === undefined) return new Date(at).toISOString().replace('.000Z', 'Z');
  const text = formatInstant(at, format, context.timeZone);
  if (text === undefined) {
    throw bad(
      field,
      `the format '${format}' is unknown: use yyyy MM dd HH mm ss XXX with - / _ : . T, or epochMillis, epochSeconds`,
    );
  }
  return text;
}

function bad(field: string, message: string): DispatchError {
  return new DispatchError('InvalidSpec', `${field}: ${message}`, { field });
}
