import type { Finding } from './finding.ts';

/** org.apache.flink.runtime.resourcemanager.active.ActiveResourceManager, onWorkerTerminated. */
const TERMINATED = /Worker (\S+) is terminated\. Diagnostics: ([^\n]*)/g;
const LENGTH = 500;

/** The last TaskManager that has died, as the JobManager's log tells: Flink deletes its pod at once. */
export function lostWorkerIn(log: string): Pick<Finding, 'reason' | 'message' | 'evidence'> | undefined {
  const [line, pod = '', said = ''] = [...log.matchAll(TERMINATED)].at(-1) ?? [];
  if (line === undefined) return undefined;
  const diagnostics = said.slice(0, LENGTH);
  const evidence = [`log: ${line.slice(0, LENGTH)}`];
  if (diagnostics.includes('reason=OOMKilled')) {
    const message = `TaskManager ${pod} was killed because it used more memory than its container's limit (OOMKilled)`;
    return { reason: 'TaskManagerOutOfMemory', message, evidence };
  }
  return { reason: 'TaskManagerCrashed', message: `TaskManager ${pod} has gone: ${diagnostics}`, evidence };
}

/** What JobMaster, TaskExecutor and Netty's channels say when a TaskManager is gone. */
const LOSS =
  /TaskManager with id \S+ is no longer reachable|heartbeat of TaskManager with id \S+ timed out|unexpectedly closed by remote task manager|Lost connection to task manager|The TaskExecutor is shutting down|container termination statuses/i;
/** DeclarativeSlotPoolBridge and the adaptive scheduler. */
const NO_RESOURCES = /NoResourceAvailableException|Could not acquire the minimum required resources/;

/** Whether a job's root exception tells of TaskManagers that are gone or never came, and of nothing that the job did. */
export function tellsOfTaskManagers(rootException: string): 'lost' | 'missing' | undefined {
  if (LOSS.test(rootException)) return 'lost';
  return NO_RESOURCES.test(rootException) ? 'missing' : undefined;
}
