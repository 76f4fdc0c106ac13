import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { redactJson } from '../core/redaction/redact.ts';
import { mainContainer } from '../kubernetes/cluster/containers.ts';
import type { ContainerFacts, EventFacts, KubernetesFacts, PodFacts } from '../kubernetes/cluster/port.ts';

/** A pod of an attempt, as it was last seen. */
export interface PodView {
  readonly name: string;
  readonly component: PodFacts['component'];
  readonly node?: string;
  readonly createdAt: Instant;
  /** When its main container began; absent: it never did. */
  readonly startedAt?: Instant;
  readonly finishedAt?: Instant;
  readonly restarts: number;
  /** `OOMKilled, exit code 137`, or why it does not run. */
  readonly note?: string;
}

export interface PodsView {
  /** When they were looked at. */
  readonly at: Instant;
  readonly pods: readonly PodView[];
  /** Of Kubernetes, the oldest first. */
  readonly events: readonly EventFacts[];
}

export function viewPods(facts: Pick<KubernetesFacts, 'pods' | 'events'>, at: Instant): PodsView {
  const { pods, events } = redactJson(facts);
  return {
    at,
    pods: [...pods].sort((a, b) => a.createdAt - b.createdAt).map(podView),
    events: [...events].sort((a, b) => a.lastSeen - b.lastSeen),
  };
}

function podView(pod: PodFacts): PodView {
  const { name, component, node, createdAt } = pod;
  const main = mainContainer(pod);
  return {
    ...{ name, component, createdAt, restarts: main?.restartCount ?? 0 },
    ...defined({ node, startedAt: main?.startedAt, finishedAt: main?.finishedAt, note: noteOf(pod, main) }),
  };
}

function noteOf({ unschedulable, reason }: PodFacts, main: ContainerFacts | undefined): string | undefined {
  const state = main?.reason ?? main?.last?.reason;
  const code = main?.exitCode ?? main?.last?.exitCode;
  const said = [unschedulable, reason, state, code === undefined ? undefined : `exit code ${code}`];
  const known = said.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.join(', ');
}
