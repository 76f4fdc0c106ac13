import type { Instant } from '../core/clock.ts';
import type { Reason } from '../core/reasons.ts';
import { COMPONENT_NAMES, describeEvent, mayHaveCome, PATIENCE, type Finding, type LookedAt } from './finding.ts';
import { JAR_CONTAINER } from '../kubernetes/cluster/delivered-jar.ts';
import { hasMainBegun, roleOf } from '../kubernetes/cluster/containers.ts';
import type { ContainerFacts, EventFacts, PodFacts } from '../kubernetes/cluster/port.ts';

const PULL_FAILED = /^(ErrImagePull|ImagePullBackOff|RegistryUnavailable|ImageInspectError|SignatureValidationFailed)$/;
/** Refused without asking a registry. */
const NEVER_PULLED = /^(InvalidImageName|ErrImageNeverPull)$/;
/** Registries' ways to say that there is no such image, or not for us: no second try helps. */
const NO_SUCH_IMAGE =
  /not found|manifest unknown|name unknown|repository does not exist|pull access denied|unauthorized|authorization failed|denied|403 Forbidden|invalid reference|no match for platform/i;
const CANNOT_START =
  /^(CreateContainerConfigError|CreateContainerError|RunContainerError|ContainerCannotRun|StartError)$/;

/**
 * What the states of a pod's containers say is wrong with the JobManager or TaskManager itself, or with what has to end or
 * start before it: init containers, and init containers that are sidecars. What those did is past once it has begun.
 */
export function containerFinding(pod: PodFacts, events: readonly EventFacts[], at: LookedAt): Finding | undefined {
  const begun = hasMainBegun(pod);
  const own = pod.containers.filter((it) => (it.init ? !begun : roleOf(pod, it) === 'main'));
  return firstOf(own, pod, events, at);
}

/**
 * What is wrong with a container beside the JobManager or TaskManager. Never final: the kubelet starts it anew by itself, and
 * Flink goes on.
 */
export function sidecarFinding(pod: PodFacts, events: readonly EventFacts[], at: LookedAt): Finding | undefined {
  const begun = hasMainBegun(pod);
  const beside = pod.containers.filter((it) => roleOf(pod, it) === 'sidecar' && (!it.init || begun));
  const finding = firstOf(beside, pod, events, at);
  return finding === undefined ? undefined : { ...finding, certainty: 'suspected' };
}

function firstOf(
  containers: readonly ContainerFacts[],
  pod: PodFacts,
  events: readonly EventFacts[],
  at: LookedAt,
): Finding | undefined {
  for (const container of containers) {
    const finding =
      stopped(pod, container) ?? imageMissing(pod, container, events, at.now) ?? cannotStart(pod, container, at);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

/** The JobManager, or which of its containers. */
function nameOf(pod: PodFacts, container: ContainerFacts): string {
  const component = COMPONENT_NAMES[pod.component];
  const role = roleOf(pod, container);
  if (role === 'main') return component;
  return `${component}'s ${role === 'init' ? 'init container' : 'sidecar'} ${container.name}`;
}

function containerName(pod: PodFacts, container: ContainerFacts): string {
  if (roleOf(pod, container) === 'main') return `Container ${container.name} of the ${COMPONENT_NAMES[pod.component]}`;
  return `The ${nameOf(pod, container)}`;
}

interface Exit {
  readonly reason: string;
  readonly exitCode: number | undefined;
  readonly message: string | undefined;
  readonly at: Instant | undefined;
}

function lastExit(container: ContainerFacts): Exit | undefined {
  const { last } = container;
  const from = container.state === 'terminated' ? container : last;
  if (from?.reason === undefined) return undefined;
  return { reason: from.reason, exitCode: from.exitCode, message: from.message, at: from.finishedAt };
}

function stopped(pod: PodFacts, container: ContainerFacts): Finding | undefined {
  const exit = lastExit(container);
  if (exit === undefined || !isTrouble(pod, container, exit)) return undefined;
  return {
    ...whyStopped(pod, container, exit),
    evidence: [
      `pod ${pod.name}: container ${container.name} terminated, ${exit.reason}${codeOf(exit)}, ${container.restartCount} restarts`,
    ],
    certainty: isFinal(pod, container) ? 'final' : 'suspected',
    component: pod.component,
    since: exit.at ?? pod.createdAt,
  };
}

function isTrouble(pod: PodFacts, container: ContainerFacts, exit: Exit): boolean {
  const role = roleOf(pod, container);
  if (CANNOT_START.test(exit.reason)) return false;
  if (role !== 'main' && (exit.exitCode === 0 || hasRecovered(container))) return false;
  // A pod that is told to go stops its containers.
  return !pod.deleting || (role !== 'sidecar' && exit.reason === 'OOMKilled');
}

function whyStopped(pod: PodFacts, container: ContainerFacts, exit: Exit): Pick<Finding, 'reason' | 'message'> {
  const outOfMemory = exit.reason === 'OOMKilled';
  if (container.name === JAR_CONTAINER && !outOfMemory) {
    const cause = exit.message?.trim() ?? codeOf(exit);
    const message = `The jar could not be put into the ${COMPONENT_NAMES[pod.component]}'s pod: ${cause}`;
    return { reason: 'JarDownloadFailed', message };
  }
  const isSidecar = roleOf(pod, container) === 'sidecar';
  const reason = isSidecar ? 'SidecarFailed' : stopReason(pod.component, outOfMemory);
  return { reason, message: stopMessage(`The ${nameOf(pod, container)}`, exit) };
}

function codeOf({ exitCode }: Exit): string {
  return exitCode === undefined ? '' : `, exit code ${exitCode}`;
}

/** Its last end is past: a sidecar runs again and is well. */
function hasRecovered({ state, ready }: ContainerFacts): boolean {
  return state === 'running' && ready;
}

function stopMessage(who: string, exit: Exit): string {
  const code = codeOf(exit);
  if (exit.reason === 'OOMKilled') {
    return `${who} was killed because it used more memory than its container's limit (OOMKilled${code})`;
  }
  return `${who} stopped: ${exit.reason}${code}${exit.message === undefined ? '' : `: ${exit.message.trim()}`}`;
}

function stopReason(component: PodFacts['component'], outOfMemory: boolean): Reason {
  if (component === 'jobmanager') return outOfMemory ? 'JobManagerOutOfMemory' : 'JobManagerCrashed';
  return outOfMemory ? 'TaskManagerOutOfMemory' : 'TaskManagerCrashed';
}

/**
 * A JobManager that starts again runs main() again; a TaskManager is replaced. An init container is tried again until it
 * succeeds, and may well wait so for something else; only of our own it is known that two failures are no accident.
 */
function isFinal(pod: PodFacts, container: ContainerFacts): boolean {
  if (pod.component !== 'jobmanager') return false;
  if (container.name === JAR_CONTAINER) return container.restartCount > 1;
  return roleOf(pod, container) === 'main';
}

function imageMissing(
  pod: PodFacts,
  container: ContainerFacts,
  events: readonly EventFacts[],
  now: Instant,
): Finding | undefined {
  const state = container.state === 'waiting' ? (container.reason ?? '') : '';
  const never = NEVER_PULLED.test(state);
  if (!never && !PULL_FAILED.test(state)) return undefined;
  const failure = events.findLast(({ reason, message }) => {
    return reason === 'Failed' && message.includes('pull image') && message.includes(container.image);
  });
  const cause = failure?.message ?? container.message ?? state;
  const certain = never || NO_SUCH_IMAGE.test(cause) || now - pod.createdAt >= PATIENCE;
  return {
    reason: 'ImagePullFailed',
    message: `The image ${container.image} of the ${nameOf(pod, container)} cannot be pulled: ${cause}`,
    evidence: [
      `pod ${pod.name}: container ${container.name} waiting, ${state}`,
      ...(failure === undefined ? [] : [describeEvent(failure)]),
    ],
    certainty: certain ? 'final' : 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}

function cannotStart(pod: PodFacts, container: ContainerFacts, at: LookedAt): Finding | undefined {
  const exit = lastExit(container);
  const waiting = container.state === 'waiting' && CANNOT_START.test(container.reason ?? '');
  const refused = exit !== undefined && CANNOT_START.test(exit.reason);
  if (!waiting && !refused) return undefined;
  const reason = (waiting ? container.reason : exit?.reason) ?? '';
  const cause = (waiting ? container.message : exit?.message) ?? reason;
  const waited = at.now - pod.createdAt >= PATIENCE;
  return {
    reason: 'ContainerConfigError',
    message: `${containerName(pod, container)} cannot be started: ${cause}`,
    evidence: [`pod ${pod.name}: container ${container.name}, ${reason}: ${cause}`],
    certainty: refused || (waited && !mayHaveCome(cause, pod.createdAt, at)) ? 'final' : 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}
