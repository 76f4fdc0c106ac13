import type { Duration, Instant } from '../core/clock.ts';
import type { Reason } from '../core/reasons.ts';
import type { EventFacts } from '../kubernetes/cluster/port.ts';

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

/** What a cluster is made with, in the kubelet's words when a pod comes before it. */
const OWN = /configmap "(flink-config|pod-template|start-permit)-[^"]*" not found|secret "flink-jar-[^"]*" not found/;
/** Of the kubelet between two tries. */
const LONGEST_BACKOFF: Duration = 122_000;

/** When facts are looked at, and since when all objects of the cluster are there. */
export interface LookedAt {
  readonly now: Instant;
  readonly madeAt: Instant;
}

export function isOwn(said: string): boolean {
  return OWN.test(said);
}

/**
 * Whether something is said to be missing that may only have come late, `madeAt`: because whoever made the Deployment died
 * over it, and somebody else made the rest. The kubelet looks again after about as long as it has looked in vain.
 */
export function mayHaveCome(said: string, createdAt: Instant, { now, madeAt }: LookedAt): boolean {
  if (!isOwn(said)) return false;
  const late = Math.max(0, madeAt - createdAt);
  return now - createdAt - late < PATIENCE + Math.min(late, LONGEST_BACKOFF);
}

export const COMPONENT_NAMES = { jobmanager: 'JobManager', taskmanager: 'TaskManager' } as const;

export function describeEvent({ object, reason, message, count }: EventFacts): string {
  return `event ${object}: ${reason}: ${message}${count > 1 ? ` (${count} times)` : ''}`;
}
