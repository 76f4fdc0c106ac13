import type { Duration, Instant } from '../core/clock.ts';
import type { Reason } from '../core/reasons.ts';
import type { EventFacts } from './port.ts';

/** What is wrong with a cluster, named. */
export interface Finding {
  readonly reason: Reason;
  /** One sentence with the cause. */
  readonly message: string;
  /** Pod, container, event and exit code that it rests on. */
  readonly evidence: readonly string[];
  /** `final`: waiting does not mend it. `suspected`: it may pass, and is the reason if nothing else becomes of the run. */
  readonly certainty: 'final' | 'suspected';
  readonly component: 'cluster' | 'jobmanager' | 'taskmanager';
  readonly since: Instant;
}

/** What may still be on its way: a registry that is down for a moment, a Secret that is made just after the job. */
export const PATIENCE: Duration = 30_000;

export const COMPONENT_NAMES = { jobmanager: 'JobManager', taskmanager: 'TaskManager' } as const;

export function describeEvent({ object, reason, message, count }: EventFacts): string {
  return `event ${object}: ${reason}: ${message}${count > 1 ? ` (${count} times)` : ''}`;
}
