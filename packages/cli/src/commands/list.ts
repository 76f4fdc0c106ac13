import type { Execute } from '../command.ts';
import { has } from '../command.ts';
import { connect, type Kubernetes } from '../clusters/connect.ts';
import { printJson, seconds, table, type Io } from '../terminal/io.ts';
import type { NativeCluster } from '../clusters/native-clusters.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { candidates, selectCluster } from '../flags/select.ts';
import { namespaceOf, readSettings } from '../flags/settings.ts';
import type { JobSummary } from '../../../../lib/flink/job-manager.ts';
import { isTerminal, type JobState } from '../../../../lib/flink/job-state.ts';
import { endedApplication } from '../../../../lib/verdict/application/end.ts';
import type { Duration, Instant } from '../../../../lib/core/clock.ts';

/** CliFrontend.list: what runs, what waits to, or everything. */
const SCHEDULED: readonly JobState[] = ['CREATED', 'INITIALIZING'];
const ENDED: readonly JobState[] = ['FINISHED', 'CANCELED', 'FAILED'];

/** Whoever follows a cluster that is held lets it go within seconds of its end. */
const FOLLOWER_READS: Duration = 60_000;

interface Row {
  readonly cluster: NativeCluster;
  readonly jobs?: readonly JobSummary[];
  readonly flinkVersion?: string;
  /** Its application goes on; Flink tells it from 2.3. */
  readonly mainRuns?: boolean;
  readonly error?: string;
}

/** Jobs of one cluster, or of all native clusters of the namespace, whoever made them. */
export const execute: Execute = async (io, parsed) => {
  const settings = readSettings(io, parsed);
  const kubernetes = await connect(settings, io);
  const one = settings.effective['kubernetes.cluster-id'] !== undefined;
  const clusters = one ? [await selectCluster(kubernetes, settings)] : await candidates(kubernetes, settings);
  const rows = await Promise.all(clusters.map((cluster) => ask(kubernetes, cluster)));
  const shown = rows.map((row) => ({ ...row, ...(row.jobs && { jobs: row.jobs.filter(wanted(parsed)) }) }));
  if (has(parsed, 'json')) printJson(io, shown.map(toJson));
  else if (shown.length === 0) io.err(`no native Flink clusters in namespace ${namespaceOf(settings)}\n`);
  else {
    print(io, shown);
    for (const row of rows) noteForgotten(io, row);
  }
  return one && rows.some(({ error }) => error !== undefined) ? 1 : 0;
};

async function ask(kubernetes: Kubernetes, cluster: NativeCluster): Promise<Row> {
  try {
    const facts = await kubernetes.rest(cluster).jobManager.overview();
    const { jobs, flinkVersion, applications = [] } = facts;
    return { cluster, jobs, flinkVersion, mainRuns: applications.length > 0 && endedApplication(facts) === undefined };
  } catch (error) {
    return { cluster, error: error instanceof Error ? error.message : String(error) };
  }
}

function wanted(parsed: ParsedFlags): (job: JobSummary) => boolean {
  if (has(parsed, 'all')) return () => true;
  const running = has(parsed, 'running');
  const scheduled = has(parsed, 'scheduled');
  const both = running === scheduled;
  return ({ state }) => {
    if (ENDED.includes(state)) return false;
    return both || SCHEDULED.includes(state) === scheduled;
  };
}

function print(io: Io, rows: readonly Row[]): void {
  const lines = rows.flatMap(({ cluster, jobs }) => {
    const head = [cluster.clusterId, cluster.standalone === true ? `standalone ${cluster.mode}` : cluster.mode];
    if (jobs === undefined) return [[...head, '-', cluster.ready ? 'no answer' : 'starting', '', '']];
    if (jobs.length === 0) return [[...head, '-', '-', '', '']];
    return jobs.map((job) => [...head, job.id, job.reportedState ?? job.state, seconds(job.duration), job.name]);
  });
  io.out(table([['CLUSTER', 'MODE', 'JOB', 'STATE', 'DURATION', 'NAME'], ...lines]));
  for (const { cluster, error } of rows) if (error !== undefined) io.err(`${cluster.clusterId}: ${error}\n`);
}

/** A command line that was killed, or whose machine is gone, lets go of nothing. */
function noteForgotten(io: Io, { cluster: { held, clusterId }, jobs = [], mainRuns }: Row): void {
  const ended = held === true && mainRuns !== true ? endOf(jobs) : undefined;
  const age = ended === undefined ? 0 : io.clock.now() - ended;
  if (age < FOLLOWER_READS) return;
  const since = `its jobs ended ${seconds(age)} ago, and it is held for a command line that reads their results`;
  io.err(`${clusterId}: ${since}; if there is none, remove it with: session stop ${clusterId}\n`);
}

/** When the last of them ended; `undefined`: there is none, or one goes on. */
function endOf(jobs: readonly JobSummary[]): Instant | undefined {
  const over = jobs.length > 0 && jobs.every(({ state }) => isTerminal(state));
  return over ? Math.max(...jobs.map(({ endTime }) => endTime)) : undefined;
}

function toJson({ cluster, jobs, flinkVersion, error }: Row): unknown {
  return { ...cluster, createdAt: new Date(cluster.createdAt).toISOString(), flinkVersion, jobs, error };
}
