/** org.apache.flink.api.common.JobStatus. */
export const JOB_STATES = {
  INITIALIZING: { terminal: false },
  CREATED: { terminal: false },
  RUNNING: { terminal: false },
  FAILING: { terminal: false },
  FAILED: { terminal: true },
  CANCELLING: { terminal: false },
  CANCELED: { terminal: true },
  FINISHED: { terminal: true },
  RESTARTING: { terminal: false },
  /** Locally terminal only: another JobManager may take the job on. */
  SUSPENDED: { terminal: false },
  RECONCILING: { terminal: false },
  /** A name that this list does not have, from a newer Flink: never taken for an end. */
  UNKNOWN: { terminal: false },
} as const satisfies Record<string, { terminal: boolean }>;

export type JobState = keyof typeof JOB_STATES;

export const JOB_STATE_NAMES = Object.keys(JOB_STATES) as [JobState, ...JobState[]];

/** Globally terminal: the job never runs again. */
export function isTerminal(state: JobState): boolean {
  return JOB_STATES[state].terminal;
}
