import type { Duration } from '../../../../lib/core/clock.ts';
import { DispatchError } from '../../../../lib/core/errors.ts';
import { findFailure } from '../../../../lib/diagnosis/findings.ts';
import { isMainRunning } from '../../../../lib/kubernetes/cluster/containers.ts';
import type { ClusterRef, KubernetesFacts } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Io } from '../terminal/io.ts';
import { createProgress } from '../terminal/progress.ts';
import type { Kubernetes } from './connect.ts';

const LOOK: Duration = 500;
/** Of pods that come at all: images are pulled in that time. */
const PATIENCE: Duration = 10 * 60_000;

/**
 * Waits until the JobManager and as many TaskManagers run. Answers false after an interrupt.
 * @throws DispatchError with the reason for which they do not; the cluster stays
 */
export async function untilRunning(
  io: Io,
  { clusters }: Kubernetes,
  ref: ClusterRef,
  taskManagers: number,
): Promise<boolean> {
  const progress = createProgress(io);
  const until = io.clock.now() + PATIENCE;
  try {
    for (;;) {
      const facts = await clusters.observe(ref);
      const running = runningIn(facts);
      if (running.jobManager && running.taskManagers >= taskManagers) return true;
      const finding = findFailure(facts, io.clock.now());
      const late = io.clock.now() >= until;
      if (finding !== undefined && (finding.certainty === 'final' || late)) {
        throw new DispatchError(finding.reason, `${finding.message}; ${stays(ref)}`);
      }
      const missing = situation(running, taskManagers);
      if (late)
        throw new DispatchError('ClusterUnavailable', `after ${PATIENCE / 60_000} min ${missing}; ${stays(ref)}`);
      if (io.interrupted.aborted) return false;
      progress.say(finding === undefined ? missing : `${finding.reason}: ${finding.message}`);
      await io.clock.sleep(LOOK);
    }
  } finally {
    progress.end();
  }
}

interface Running {
  readonly jobManager: boolean;
  readonly taskManagers: number;
}

function runningIn({ pods }: KubernetesFacts): Running {
  const running = pods.filter((pod) => !pod.deleting && isMainRunning(pod));
  return {
    jobManager: running.some(({ component }) => component === 'jobmanager'),
    taskManagers: running.filter(({ component }) => component === 'taskmanager').length,
  };
}

function situation({ jobManager, taskManagers }: Running, wanted: number): string {
  return `the JobManager ${jobManager ? 'runs' : 'does not run yet'}, and ${taskManagers} of ${wanted} TaskManagers`;
}

function stays({ clusterId }: ClusterRef): string {
  return `the cluster stays for a look at it: logs ${clusterId}, and standalone down ${clusterId} removes it`;
}
