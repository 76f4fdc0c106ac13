import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import { has } from '../command.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import type { Ending, JobEnding } from '../follow/ending.ts';
import { hasFinalTimes, withoutTimes } from '../follow/results.ts';
import { harmless, printJson, seconds, style, type Io } from './io.ts';

/** How an application ended, on standard output. Answers the exit code. */
export function report(io: Io, parsed: ParsedFlags, cluster: ClusterRef, ending: Ending): number {
  if (has(parsed, 'json')) printJson(io, toJson(cluster, ending));
  else printText(io, ending, has(parsed, 'verbose'));
  if (ending.state === 'INTERRUPTED') return 130;
  return ending.state === 'FINISHED' ? 0 : 1;
}

function printText(io: Io, ending: Ending, verbose: boolean): void {
  for (const { job, result } of ending.jobs) {
    const duration = job.duration > 0 && hasFinalTimes(job) ? ` after ${seconds(job.duration)}` : '';
    io.out(`Job ${job.id} ${harmless(job.name)} ${paint(io, job.state)}${duration}\n`);
    const accumulators = Object.entries(result?.accumulators ?? {});
    if (accumulators.length > 0) io.out('Accumulators:\n');
    for (const [name, value] of accumulators) io.out(harmless(`  ${name}: ${value}\n`));
  }
  if (ending.state === 'FAILED') {
    io.out(`${style(io, 'red', ending.reason)}: ${harmless(ending.message)}\n`);
    if (ending.stackTrace !== undefined)
      io.err(`${style(io, 'dim', harmless(verbose ? ending.stackTrace.trimEnd() : causes(ending.stackTrace)))}\n`);
  }
  if (ending.state === 'UNKNOWN') io.out(`${style(io, 'yellow', 'Unknown')}: ${harmless(ending.message)}\n`);
  if (ending.state === 'FINISHED' && ending.jobs.length === 0)
    io.out('The application finished without running a job\n');
}

/** The exceptions without their frames, which `-v` and `--json` have. */
function causes(stackTrace: string): string {
  return stackTrace
    .split('\n')
    .filter((line) => line !== '' && !/^\s/.test(line))
    .join('\n');
}

function paint(io: Io, state: string): string {
  return style(io, state === 'FINISHED' ? 'green' : state === 'CANCELED' ? 'yellow' : 'red', state);
}

function toJson(cluster: ClusterRef, ending: Ending): unknown {
  const { clusterId, namespace } = cluster;
  const failure =
    ending.state === 'FAILED' ? { reason: ending.reason, message: ending.message, stackTrace: ending.stackTrace } : {};
  const unknown = ending.state === 'UNKNOWN' ? { message: ending.message } : {};
  return { clusterId, namespace, state: ending.state, ...failure, ...unknown, jobs: ending.jobs.map(jobJson) };
}

/** Of a job whose end only the log told, what was seen before the end would contradict it. */
function jobJson({ job, result }: JobEnding): unknown {
  const known = isTerminal(job.state) && !hasFinalTimes(job) ? withoutTimes(job) : job;
  return { ...known, accumulators: result?.accumulators, rootException: result?.rootException };
}
