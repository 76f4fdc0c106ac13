import type { Instant } from '../core/clock.ts';
import { containerFinding, sidecarFinding } from './container-findings.ts';
import {
  COMPONENT_NAMES,
  describeEvent,
  isOwn,
  mayHaveCome,
  PATIENCE,
  type Finding,
  type LookedAt,
} from './finding.ts';
import { mostSpecific } from './specificity.ts';
import { hasMainBegun } from '../kubernetes/cluster/containers.ts';
import type { DeploymentFacts, EventFacts, KubernetesFacts, PodFacts } from '../kubernetes/cluster/port.ts';

export type { Finding } from './finding.ts';

/** TaskManagers that Flink asked for and that are gone, before that many are no chance. */
const LOST_TASK_MANAGERS = 3;

/**
 * The first cause of trouble in what Kubernetes says, or `undefined` for a cluster that is well or merely slow. Pure:
 * facts and time in. `madeAt`: when all of its objects were there, if that was later than its first pod. What only the
 * JobManager's log tells is in `findInLog`.
 */
export function findFailure(facts: KubernetesFacts, now: Instant, madeAt: Instant = 0): Finding | undefined {
  const { deployment, events } = facts;
  if (deployment.state === 'absent') return deleted('is not there', now);
  if (deployment.deleting) return deleted('is being deleted', now);
  const [jobManager, ...earlier] = newestFirst(facts.pods, 'jobmanager');
  const taskManagers = newestFirst(facts.pods, 'taskmanager');
  const at = { now, madeAt };
  const ofJobManager =
    jobManager === undefined ? podRefused(deployment, events, now) : podFinding(jobManager, events, at);
  // Whatever else is wrong, a JobManager that cannot go on is why.
  if (ofJobManager?.certainty === 'final') return ofJobManager;
  return mostTelling([
    ofJobManager,
    evictedAgain(jobManager, earlier),
    ...taskManagers.map((pod) => podFinding(pod, events, at)),
    evictedAgain(
      taskManagers.find(({ ready }) => ready),
      taskManagers,
    ),
    evictedBefore(earlier),
    lostTaskManagers(taskManagers),
  ]);
}

/** What is final before what is suspected, then the most specific. */
function mostTelling(found: readonly (Finding | undefined)[]): Finding | undefined {
  return mostSpecific(...found.filter((it) => it?.certainty === 'final')) ?? mostSpecific(...found);
}

function deleted(how: string, now: Instant): Finding {
  const message = `The cluster's Deployment ${how}, and not by this run`;
  const evidence = [`Deployment: ${how}`];
  return { reason: 'ClusterDeleted', message, evidence, certainty: 'final', component: 'cluster', since: now };
}

/** Pods that are going away are no longer what the cluster is. */
function newestFirst(pods: readonly PodFacts[], component: PodFacts['component']): readonly PodFacts[] {
  const all = pods.filter((pod) => pod.component === component).sort((a, b) => b.createdAt - a.createdAt);
  return [...all.filter((pod) => !pod.deleting), ...all.filter((pod) => pod.deleting)];
}

const QUOTA = /exceeded quota/;
const NO_SERVICE_ACCOUNT = /error looking up service account|serviceaccount "[^"]*" not found/;

/** The Deployment stands and its ReplicaSet may not make the pod. */
function podRefused(
  deployment: Extract<DeploymentFacts, { state: 'present' }>,
  events: readonly EventFacts[],
  now: Instant,
): Finding | undefined {
  const condition = deployment.conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  const event = events.filter(({ reason }) => reason === 'FailedCreate').at(-1);
  const said = condition?.message ?? event?.message;
  if (said === undefined) return undefined;
  const evidence = [
    ...(condition === undefined ? [] : [`Deployment: ReplicaFailure, ${condition.reason}: ${condition.message}`]),
    ...(event === undefined ? [] : [describeEvent(event)]),
  ];
  const base = { evidence, component: 'jobmanager', since: deployment.createdAt } as const;
  const waited = now - deployment.createdAt >= PATIENCE;
  if (QUOTA.test(said)) {
    const message = `The JobManager's pod does not fit into the namespace's quota: ${said}`;
    return { ...base, reason: 'QuotaExceeded', message, certainty: 'final' };
  }
  const certainty = waited ? 'final' : 'suspected';
  if (NO_SERVICE_ACCOUNT.test(said)) {
    const message = `The JobManager's service account does not exist: ${said}`;
    return { ...base, reason: 'ServiceAccountForbidden', message, certainty };
  }
  return {
    ...base,
    reason: 'InvalidConfiguration',
    message: `Kubernetes refuses the JobManager's pod: ${said}`,
    certainty,
  };
}

function podFinding(pod: PodFacts, events: readonly EventFacts[], at: LookedAt): Finding | undefined {
  const own = events.filter(({ object }) => object === `Pod/${pod.name}`);
  return (
    takenAway(pod) ??
    containerFinding(pod, own, at) ??
    gated(pod) ??
    unschedulable(pod, own, at.now) ??
    volumeMissing(pod, own, at) ??
    sidecarFinding(pod, own, at)
  );
}

/** A pod that was evicted, preempted or refused by its node, or whose node shuts down or is lost: nothing that the job did. */
function takenAway(pod: PodFacts): Finding | undefined {
  if (pod.reason === undefined || !(pod.phase === 'Failed' || pod.deleting)) return undefined;
  const why = pod.message === undefined ? pod.reason : `${pod.reason}, ${pod.message}`;
  return {
    reason: 'PodEvicted',
    message: `Kubernetes took the ${COMPONENT_NAMES[pod.component]}'s pod away: ${why}`,
    evidence: [`pod ${pod.name} on node ${pod.node ?? '(none)'}: ${pod.phase}, ${why}`],
    certainty: pod.phase === 'Failed' && pod.component === 'jobmanager' && !neverRan(pod) ? 'final' : 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}

/** What a kubelet says of a pod that it does not let in. */
const NOT_ADMITTED = /^(?:Pod was rejected|The node had condition)/i;
const ADMISSION = /^(?:OutOf\w+|NodeAffinity|NodePorts|UnexpectedAdmissionError|TopologyAffinityError)$/;

/** Then Kubernetes may put the next one elsewhere, and nothing has begun twice. A pod that tells nothing may have run. */
function neverRan(pod: PodFacts): boolean {
  if (ADMISSION.test(pod.reason ?? '') || NOT_ADMITTED.test(pod.message ?? '')) return true;
  return pod.containers.length > 0 && !hasMainBegun(pod);
}

/** Only who gated it knows how long that takes. */
function gated(pod: PodFacts): Finding | undefined {
  if (pod.gates === undefined) return undefined;
  return {
    reason: 'PodGated',
    message: `The ${COMPONENT_NAMES[pod.component]}'s pod waits for its scheduling gates to open: ${pod.gates}`,
    evidence: [`pod ${pod.name}: schedulingGates ${pod.gates}`],
    certainty: 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}

/** A node is on its way: cluster-autoscaler's word, and Karpenter's. */
const NODE_COMES = /^(TriggeredScaleUp|Nominated)$/;
/** No node that they could add would do. */
function isRefusal({ reason, message }: EventFacts): boolean {
  return reason === 'NotTriggerScaleUp' || (reason === 'FailedScheduling' && message.startsWith('Failed to schedule'));
}

/** Of the scheduler: room that other pods take may become free, a node that is not ready may come back. */
const MAY_CHANGE = /No preemption victims found|node\.kubernetes\.io\/|were unschedulable|no nodes available/;
/** How long an autoscaler may take to say that it adds a node; it looks every ten seconds. */
const NODE_PATIENCE = 2 * PATIENCE;

function unschedulable(pod: PodFacts, events: readonly EventFacts[], now: Instant): Finding | undefined {
  if (pod.unschedulable === undefined) return undefined;
  const said = events.findLast((event) => NODE_COMES.test(event.reason) || isRefusal(event));
  const comes = said !== undefined && !isRefusal(said);
  const waited = now - pod.createdAt;
  const hopeless = said === undefined && !MAY_CHANGE.test(pod.unschedulable) && waited >= NODE_PATIENCE;
  const refused = said !== undefined && !comes && waited >= PATIENCE;
  const sentence = `No node has a place for the ${COMPONENT_NAMES[pod.component]}`;
  return {
    reason: 'PodUnschedulable',
    message: `${sentence}${comes ? ' yet; one is being added' : ''}: ${pod.unschedulable}`,
    evidence: [
      `pod ${pod.name}: PodScheduled=False, Unschedulable: ${pod.unschedulable}`,
      ...(said === undefined ? [] : [describeEvent(said)]),
    ],
    certainty: hopeless || refused ? 'final' : 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}

const STILL_CREATING = /^(ContainerCreating|PodInitializing)$/;

/** Kubernetes repeats a mount for ever; while it does, the containers wait to be created. */
function volumeMissing(pod: PodFacts, events: readonly EventFacts[], at: LookedAt): Finding | undefined {
  const event = events.filter(({ reason }) => reason === 'FailedMount' || reason === 'FailedAttachVolume').at(-1);
  const waits = pod.containers.some(({ state, reason }) => state === 'waiting' && STILL_CREATING.test(reason ?? ''));
  if (event === undefined || !waits) return undefined;
  const lasts = at.now - pod.createdAt >= PATIENCE && event.count > 2;
  // Made together with the Deployment: the kubelet may be faster, and looks again.
  if (mayHaveCome(event.message, pod.createdAt, at) || (isOwn(event.message) && !lasts)) return undefined;
  return {
    reason: 'ContainerConfigError',
    message: `A volume of the ${COMPONENT_NAMES[pod.component]}'s pod cannot be mounted: ${event.message}`,
    evidence: [describeEvent(event)],
    certainty: lasts ? 'final' : 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}

/** Pods of one component that Kubernetes took away, before the next one has no better prospect. */
export const MOST_EVICTIONS = 3;

/** The pods of earlier JobManagers stay when they were evicted. One that runs in their place may fare better. */
function evictedAgain(newest: PodFacts | undefined, others: readonly PodFacts[]): Finding | undefined {
  const runs = newest !== undefined && newest.phase !== 'Failed' && hasMainBegun(newest);
  const pods = newest === undefined || others.includes(newest) ? others : [newest, ...others];
  const evictions = pods.filter(({ phase }) => phase === 'Failed').flatMap((pod) => takenAway(pod) ?? []);
  const [last] = evictions;
  if (runs || last === undefined || evictions.length < MOST_EVICTIONS) return undefined;
  const message = `${last.message} (${evictions.length} pods, one after the other)`;
  const evidence = evictions.slice(0, MOST_EVICTIONS).flatMap((finding) => finding.evidence);
  return { ...last, message, evidence, certainty: 'final' };
}

/** The pod of an earlier JobManager stays when it was evicted; the next one runs in its place. */
function evictedBefore(pods: readonly PodFacts[]): Finding | undefined {
  const finding = pods.filter((pod) => pod.phase === 'Failed').flatMap((pod) => takenAway(pod) ?? [])[0];
  return finding === undefined ? undefined : { ...finding, certainty: 'suspected' };
}

/**
 * Flink deletes the pod of a TaskManager that has died at once, and numbers its successors on: `…-taskmanager-1-7` alone
 * means that six are gone.
 */
function lostTaskManagers(pods: readonly PodFacts[]): Finding | undefined {
  const numbers = pods.map(({ name }) => Number(/-taskmanager-\d+-(\d+)$/.exec(name)?.[1] ?? 0));
  const lost = Math.max(0, ...numbers) - pods.length;
  if (lost < LOST_TASK_MANAGERS || pods.some(({ ready }) => ready)) return undefined;
  return {
    reason: 'TaskManagerCrashed',
    message: `${lost} TaskManagers have gone and none is ready: the JobManager's log has the reason`,
    evidence: pods.map(({ name, phase }) => `pod ${name}: ${phase}`),
    certainty: 'suspected',
    component: 'taskmanager',
    since: Math.min(...pods.map(({ createdAt }) => createdAt)),
  };
}
