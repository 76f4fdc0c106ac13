import type { RootException } from '../flink/job-manager.ts';
import { rootException } from '../flink/rest/root-exception.ts';
import { traceIn } from '../flink/root-cause.ts';
import type { LogEntry } from './flink-log/entry.ts';
import { readLog } from './flink-log/read-log.ts';

export type ApplicationStatus = 'FINISHED' | 'FAILED' | 'CANCELED';

/** How an application ended, as the log of its JobManager tells it. */
export interface ApplicationEnd {
  readonly status: ApplicationStatus;
  /** What main() threw, or let through. */
  readonly rootException?: RootException;
  readonly line: string;
}

/** org.apache.flink.client.deployment.application: ApplicationDispatcherBootstrap, from 2.3 PackagedProgramApplication. */
const SAID: readonly (readonly [start: string, status: ApplicationStatus])[] = [
  ['Application completed SUCCESSFULLY', 'FINISHED'],
  ['Application FAILED', 'FAILED'],
  ['Application CANCELED', 'CANCELED'],
  ['Application failed unexpectedly', 'FAILED'],
];
/** org.apache.flink.runtime.application.AbstractApplication, from 2.3. */
const SWITCHED = /^Application .{0,300}\([0-9a-f]{32}\) switched from state [A-Z]+ to (FINISHED|FAILED|CANCELED)\b/;

/** The end that a log tells of; its last word counts. */
export function applicationEndInLog(log: string): ApplicationEnd | undefined {
  let end: ApplicationEnd | undefined;
  for (const entry of readLog(log)) {
    const status = statusIn(entry.message);
    if (status === undefined) continue;
    const cause = causeIn(entry) ?? (end?.status === status ? end.rootException : undefined);
    end = { status, line: entry.message, ...(cause === undefined ? {} : { rootException: cause }) };
  }
  return end;
}

function statusIn(message: string): ApplicationStatus | undefined {
  const said = SAID.find(([start]) => message.startsWith(start));
  return said?.[1] ?? (SWITCHED.exec(message)?.[1] as ApplicationStatus | undefined);
}

function causeIn({ below }: LogEntry): RootException | undefined {
  const trace = traceIn(below);
  return trace === undefined ? undefined : rootException(trace);
}

/** What Flink, the JVM or Kubernetes say when it is not main() that ends the process. */
const ENDED_OTHERWISE =
  /RECEIVED SIGNAL|Fatal error occurred in the cluster entrypoint|Could not start cluster entrypoint|Could not create application program|Could not parse command line arguments|produced an uncaught exception\. Stopping the process|Terminating due to java\.lang\.|Error occurred during initialization of VM|A fatal error has been detected by the Java Runtime|down with application status (?!UNKNOWN)/;
const SHUT_DOWN = /down with application status UNKNOWN|RemotingTerminator|closed externally/;
/** org.apache.flink.client.ClientUtils, before it calls main(); of a longer log the end may have only what jobs do. */
const BEGAN_MAIN = /Starting program \(detached: |\bJob \S.{0,300} switched from state /;
const KILLED = 137;
/** Exit codes of processes that a signal ended. */
const SIGNALLED = { from: 129, to: 159 };

/**
 * Whether a JobManager that exited with this code was ended by its program: System.exit() runs the shutdown hooks, and
 * nothing tells of another cause. Only a log of Flink's usual level can tell.
 */
export function exitedByProgram(log: string, exitCode: number): boolean {
  // SIGKILL runs no hook: a log that tells of one is of another start.
  if (exitCode === KILLED || ENDED_OTHERWISE.test(log) || !tellsOfJobs(log)) return false;
  const isSignal = exitCode >= SIGNALLED.from && exitCode <= SIGNALLED.to;
  return SHUT_DOWN.test(log) || (!isSignal && BEGAN_MAIN.test(log));
}

/** Whether a log tells of System.exit() in the program, whatever its code was. */
export function tellsOfExit(log: string): boolean {
  return SHUT_DOWN.test(log) && !ENDED_OTHERWISE.test(log);
}

/** org.apache.flink.util.JvmShutdownSafeguard halts a JVM with it whose shutdown hooks take longer than five seconds. */
const HALTED = 239;

/** Whether the code is Flink's own: it logs nothing then, and nobody knows main()'s. */
export function hidesExitCode(exitCode: number): boolean {
  return exitCode === HALTED;
}

/** The call that ended a JobManager which exited with this code. */
export function exitCall(exitCode: number): string {
  if (!hidesExitCode(exitCode)) return `System.exit(${exitCode})`;
  return 'System.exit(); its code is not known, as Flink halted the JVM with 239, which took over 5 s to end';
}

/**
 * Whether a log that tells of no end proves that there was none: it is there, and of a level at which Flink logs how a job
 * goes on.
 */
export function tellsOfJobs(log: string): boolean {
  return readLog(log).some(({ level, text }) => level === 'INFO' && text.includes('org.apache.flink'));
}
