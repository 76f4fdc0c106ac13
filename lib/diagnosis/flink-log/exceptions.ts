/** org.apache.flink.client.program.PackagedProgram; never in the trace of a job that ran. */
export const MAIN_FAILED = 'The main method caused an error';

/** org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException, of a job that got no slots in time. */
export const NO_RESOURCE = /\bNoResourceAvailableException\b/;

/** What JobMaster, TaskExecutor and Netty's channels say when a TaskManager is gone. */
const LOSS =
  /TaskManager with id \S{1,300} is no longer reachable|heartbeat of TaskManager with id \S{1,300} timed out|unexpectedly closed by remote task manager|Lost connection to task manager|The TaskExecutor is shutting down|container termination statuses/i;
/** DeclarativeSlotPoolBridge and the adaptive scheduler. */
const NO_RESOURCES = /NoResourceAvailableException|Could not acquire the minimum required resources/;

/** Whether a job's root exception tells of TaskManagers that are gone or never came, and of nothing that the job did. */
export function tellsOfTaskManagers(rootException: string): 'lost' | 'missing' | undefined {
  if (LOSS.test(rootException)) return 'lost';
  return NO_RESOURCES.test(rootException) ? 'missing' : undefined;
}
