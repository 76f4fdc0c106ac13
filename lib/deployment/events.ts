import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import type { Reason } from '../core/reasons.ts';
import type { DeploymentEvent, DeploymentEventType } from './event.ts';
import { generationOf, type DeploymentRecord } from './record.ts';

/** Published ones that are kept, for people who look at the record. */
const KEPT = 20;

type Facts = Partial<Pick<DeploymentEvent, 'generation' | 'run' | 'snapshot' | 'reason' | 'message' | 'choices'>>;

/** With an event of the wanted generation, or of the one that is named. */
export function addEvent(
  record: DeploymentRecord,
  type: DeploymentEventType,
  time: Instant,
  facts: Facts = {},
): DeploymentRecord {
  const sequence = record.sequence + 1;
  const generation = facts.generation ?? record.wanted;
  const { notify = [] } = generationOf(record, generation) ?? {};
  const event: DeploymentEvent = { ...facts, sequence, type, time, generation, notify };
  return { ...record, sequence, events: bounded([...record.events, event]) };
}

/** What is not published yet is never dropped. */
function bounded(events: readonly DeploymentEvent[]): readonly DeploymentEvent[] {
  const drop = events.length - KEPT;
  return events.filter((event, index) => index >= drop || event.publishedAt === undefined);
}

/** What is wanted cannot be had, and the run goes on: a newer generation may try again. */
export function fail(
  record: DeploymentRecord,
  {
    reason,
    message,
    choices,
  }: {
    readonly reason: Reason;
    readonly message: string;
    readonly choices: readonly string[];
  },
  now: Instant,
): DeploymentRecord {
  const settled = { generation: record.wanted, reason, message, choices, at: now };
  const run = defined({ run: record.run?.id });
  const state = record.run?.runningAt === undefined ? 'starting' : 'running';
  return addEvent({ ...record, state, settled }, 'upgrade-failed', now, { ...run, reason, message, choices });
}
