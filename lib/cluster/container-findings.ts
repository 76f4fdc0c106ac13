import type { Instant } from '../core/clock.ts';
import type { Reason } from '../core/reasons.ts';
import { COMPONENT_NAMES, describeEvent, mayHaveCome, PATIENCE, type Finding, type LookedAt } from './finding.ts';
import { JAR_CONTAINER } from './delivered-jar.ts';
import type { ContainerFacts, EventFacts, PodFacts } from './port.ts';

const PULL_FAILED = /^(ErrImagePull|ImagePullBackOff|RegistryUnavailable|ImageInspectError|SignatureValidationFailed)$/;
/** Refused without asking a registry. */
const NEVER_PULLED = /^(InvalidImageName|ErrImageNeverPull)$/;
/** Registries' ways to say that there is no such image, or not for us: no second try helps. */
const NO_SUCH_IMAGE =
  /not found|manifest unknown|name unknown|repository does not exist|pull access denied|unauthorized|authorization failed|denied|403 Forbidden|invalid reference|no match for platform/i;
const CANNOT_START =
  /^(CreateContainerConfigError|CreateContainerError|RunContainerError|ContainerCannotRun|StartError)$/;

/** What the states of a pod's containers say is wrong. */
export function containerFinding(pod: PodFacts, events: readonly EventFacts[], at: LookedAt): Finding | undefined {
  for (const container of pod.containers) {
    const finding =
      stopped(pod, container) ?? imageMissing(pod, container, events, at.now) ?? cannotStart(pod, container, at);
    if (finding !== undefined) return finding;
  }
  return undefined;
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
  if (exit === undefined || (container.init && exit.exitCode === 0) || CANNOT_START.test(exit.reason)) return undefined;
  // A pod that is told to go stops its containers.
  if (pod.deleting && exit.reason !== 'OOMKilled') return undefined;
  const { component } = pod;
  const outOfMemory = exit.reason === 'OOMKilled';
  const code = exit.exitCode === undefined ? '' : `, exit code ${exit.exitCode}`;
  const downloads = container.name === JAR_CONTAINER && !outOfMemory;
  return {
    reason: downloads ? 'JarDownloadFailed' : stopReason(component, outOfMemory),
    message: downloads
      ? `The jar could not be put into the ${COMPONENT_NAMES[component]}'s pod: ${exit.message?.trim() ?? code}`
      : stopMessage(component, container, exit),
    evidence: [
      `pod ${pod.name}: container ${container.name} terminated, ${exit.reason}${code}, ${container.restartCount} restarts`,
    ],
    certainty: isFinal(pod, container) ? 'final' : 'suspected',
    component,
    since: exit.at ?? pod.createdAt,
  };
}

function stopMessage(component: PodFacts['component'], container: ContainerFacts, exit: Exit): string {
  const name = COMPONENT_NAMES[component];
  const who = container.init ? `The ${name}'s init container ${container.name}` : `The ${name}`;
  const code = exit.exitCode === undefined ? '' : `, exit code ${exit.exitCode}`;
  if (exit.reason === 'OOMKilled') {
    return `${who} was killed because it used more memory than its container's limit (OOMKilled${code})`;
  }
  return `${who} stopped: ${exit.reason}${code}${exit.message === undefined ? '' : `: ${exit.message.trim()}`}`;
}

function stopReason(component: PodFacts['component'], outOfMemory: boolean): Reason {
  if (component === 'jobmanager') return outOfMemory ? 'JobManagerOutOfMemory' : 'JobManagerCrashed';
  return outOfMemory ? 'TaskManagerOutOfMemory' : 'TaskManagerCrashed';
}

/** A JobManager that starts again runs main() again; a TaskManager is replaced; an init container may be tried again. */
function isFinal(pod: PodFacts, container: ContainerFacts): boolean {
  return pod.component === 'jobmanager' && (!container.init || container.restartCount > 1);
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
  const failures = events.filter(({ reason, message }) => reason === 'Failed' && message.includes('pull image'));
  const failure = failures.at(-1);
  const cause = failure?.message ?? container.message ?? state;
  const certain = never || NO_SUCH_IMAGE.test(cause) || now - pod.createdAt >= PATIENCE;
  return {
    reason: 'ImagePullFailed',
    message: `The image ${container.image} of the ${COMPONENT_NAMES[pod.component]} cannot be pulled: ${cause}`,
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
    message: `Container ${container.name} of the ${COMPONENT_NAMES[pod.component]} cannot be started: ${cause}`,
    evidence: [`pod ${pod.name}: container ${container.name}, ${reason}: ${cause}`],
    certainty: refused || (waited && !mayHaveCome(cause, pod.createdAt, at)) ? 'final' : 'suspected',
    component: pod.component,
    since: pod.createdAt,
  };
}
