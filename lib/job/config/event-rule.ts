import * as z from 'zod';
import type { EventId } from '../../trigger/request.ts';
import { matchesGlob } from '../policy/glob.ts';

const text = z.string().min(1).max(2048);

/** A stored job for CloudEvents that match. */
export const eventRule = z.strictObject({
  match: z.strictObject({
    type: text,
    /** `*` stays between two `/` here and in `subject`, `**` goes further. */
    source: text.optional(),
    subject: text.optional(),
  }),
  runJob: z.string().min(1).max(100),
  /** In place of the job's own; one like `$.data.name` is what the event has there. */
  args: z.array(z.string().max(2048)).max(100).optional(),
});

type EventRule = z.output<typeof eventRule>;

/** The first rule that takes the event. */
export function ruleFor(
  { type, source, subject = '' }: Pick<EventId, 'type' | 'source'> & { readonly subject?: string | undefined },
  rules: readonly EventRule[],
): EventRule | undefined {
  return rules.find(
    ({ match }) =>
      match.type === type &&
      (match.source === undefined || matchesGlob(match.source, source, '/')) &&
      (match.subject === undefined || matchesGlob(match.subject, subject, '/')),
  );
}
