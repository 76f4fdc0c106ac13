import type { Instant } from '../core/clock.ts';
import { generationOf, type DeploymentEvent, type DeploymentEventType, type DeploymentRecord } from './record.ts';

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
