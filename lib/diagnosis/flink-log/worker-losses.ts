import { MAIN_CONTAINER } from '../../kubernetes/cluster/containers.ts';
import type { Reason } from '../../core/reasons.ts';

/** A TaskManager that has gone, in the words of the JobManager. */
export interface WorkerLoss {
  readonly reason: Extract<Reason, 'TaskManagerOutOfMemory' | 'PodEvicted' | 'SidecarFailed' | 'TaskManagerCrashed'>;
  readonly message: string;
  readonly line: string;
  /** Where in the text the line begins. */
  readonly index: number;
}

/**
 * org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager, onWorkerTerminated, with the diagnostics of
 * org.apache.flink.kubernetes.kubeclient.resources.KubernetesPod, getTerminatedDiagnostics.
 */
const TERMINATED = /Worker (\S{1,253}) is terminated\. Diagnostics: ([^\n]*)/g;
const CONTAINER = /(?<![\w-])([\w-]{1,63})\(exitCode=(-?\d+), reason=(\w{1,63}), message=/g;
const POD_STATUS = /pod status: \w{1,20}\(reason=(\w{1,63}), message=([^\n]*)/;
const MOST_DIAGNOSTICS = 500;
/** Characters of the diagnostics of one pod. */
const MOST_READ = 2000;

/** Flink ends a TaskManager when any container of its pod has ended, so it may be a sidecar that ended it. */
export function workerLosses(text: string): readonly WorkerLoss[] {
  return [...text.matchAll(TERMINATED)].map((match) => {
    const [line, pod = '', diagnostics = ''] = match;
    return { ...causeOf(pod, diagnostics), line: line.slice(0, MOST_DIAGNOSTICS), index: match.index };
  });
}

interface Ended {
  readonly name: string;
  readonly code: string;
  readonly reason: string;
}

/** In the order of what tells most. */
function causeOf(pod: string, said: string): Pick<WorkerLoss, 'reason' | 'message'> {
  const diagnostics = said.slice(0, MOST_READ);
  const ended = [...diagnostics.matchAll(CONTAINER)].map(([, name = '', code = '', reason = '']) => {
    return { name, code, reason };
  });
  const taken = takenAway(diagnostics);
  const sidecar = ended.some(({ name }) => name === MAIN_CONTAINER) ? undefined : ended[0];
  if (isOutOfMemory(ended, diagnostics)) {
    const message = `TaskManager ${pod} was killed because it used more memory than its container's limit (OOMKilled)`;
    return { reason: 'TaskManagerOutOfMemory', message };
  }
  if (taken !== undefined) {
    return { reason: 'PodEvicted', message: `Kubernetes took TaskManager ${pod} away: ${taken}` };
  }
  if (sidecar !== undefined) {
    const how = `${sidecar.reason}, exit code ${sidecar.code}`;
    return {
      reason: 'SidecarFailed',
      message: `TaskManager ${pod} was ended with its sidecar ${sidecar.name}: ${how}`,
    };
  }
  return {
    reason: 'TaskManagerCrashed',
    message: `TaskManager ${pod} has gone: ${diagnostics.slice(0, MOST_DIAGNOSTICS)}`,
  };
}

/** Not that of a sidecar; where no container is told, any. */
function isOutOfMemory(ended: readonly Ended[], diagnostics: string): boolean {
  if (ended.length === 0) return diagnostics.includes('reason=OOMKilled');
  return ended.some(({ name, reason }) => name === MAIN_CONTAINER && reason === 'OOMKilled');
}

/** The pod's own reason with the kubelet's message; Java writes `null` for none. */
function takenAway(diagnostics: string): string | undefined {
  const [, reason, message] = POD_STATUS.exec(diagnostics) ?? [];
  if (reason === undefined || reason === 'null') return undefined;
  return message === undefined || message === 'null'
    ? reason
    : `${reason}, ${message.replace(/\)$/, '').slice(0, MOST_DIAGNOSTICS)}`;
}
