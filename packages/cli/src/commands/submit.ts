import { readFileSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Instant } from '../../../../lib/core/clock.ts';
import { defined } from '../../../../lib/core/defined.ts';
import { isDispatchError } from '../../../../lib/core/errors.ts';
import type { JarRun } from '../../../../lib/flink/job-manager.ts';
import { isTerminal } from '../../../../lib/flink/job-state.ts';
import { has } from '../command.ts';
import { connect, type Rest } from '../clusters/connect.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { endingOf, type Ending, type JobEnding } from '../follow/ending.ts';
import { isSettled, readJob, SETTLES } from '../follow/results.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { createProgress, type Progress } from '../terminal/progress.ts';
import { program, programFlags } from '../flags/request.ts';
import { report } from '../terminal/report.ts';
import { selectCluster } from '../flags/select.ts';
import type { Settings } from '../flags/settings.ts';
import type { SpecFile } from '../flags/spec-file.ts';
import { UsageError } from '../flags/usage.ts';

/**
 * `run -t kubernetes-session`: uploads the jar to the session's JobManager, whose REST endpoint runs its main(). Flink's
 * own client runs main() on its own machine, which takes a JVM.
 */
export async function submit(io: Io, parsed: ParsedFlags, settings: Settings, spec?: SpecFile): Promise<number> {
  if (has(parsed, 'dry-run')) throw new UsageError('--dry-run: a job on a session cluster makes no objects');
  const { jars, args, entryClass } = program(parsed, spec);
  const jar = readJar(jars[0] ?? '');
  const kubernetes = await connect(settings, io);
  const cluster = await selectCluster(kubernetes, settings);
  const rest = kubernetes.rest(cluster);
  const progress = createProgress(io);
  try {
    progress.say(`uploading ${jar.name} (${Math.ceil(jar.content.byteLength / 1024)} KiB)`);
    const jarId = await rest.jars.upload(jar.name, jar.content);
    const request = { ...jarRun(parsed, settings), programArgs: args, ...defined({ entryClass }) };
    const jobId = await rest.jars.run(jarId, request).finally(() => rest.jars.remove(jarId).catch(() => undefined));
    if (has(parsed, 'detached')) {
      progress.end();
      if (has(parsed, 'json')) printJson(io, { clusterId: cluster.clusterId, namespace: cluster.namespace, jobId });
      else io.out(`Job has been submitted with JobID ${jobId}\n`);
      return 0;
    }
    const ending = await followJob(io, rest, jobId, progress);
    progress.end();
    return report(io, parsed, cluster, ending);
  } finally {
    progress.end();
  }
}

function readJar(uri: string): { name: string; content: Uint8Array } {
  if (!uri.startsWith('file:') && !isAbsolute(uri)) {
    throw new UsageError(`${uri}: a job for a session cluster is a jar file of this machine`);
  }
  const path = uri.startsWith('file:') ? fileURLToPath(uri) : uri;
  try {
    return { name: basename(path), content: readFileSync(path) };
  } catch {
    throw new UsageError(`cannot read the jar ${path}`);
  }
}

/** JarRunRequestBody has the flags by name; all other options of the job go along as its configuration. */
function jarRun(parsed: ParsedFlags, { options }: Settings): JarRun {
  const { parallelism, savepointPath, allowNonRestoredState, claimMode } = programFlags(parsed);
  const own = Object.entries(options).filter(([key]) => !key.startsWith('kubernetes.') && key !== 'execution.target');
  return {
    ...defined({ parallelism, savepointPath, allowNonRestoredState, claimMode }),
    ...(own.length > 0 && { flinkConfiguration: Object.fromEntries(own) }),
  };
}

/** The cluster outlives the job, so that its end can be read at ease. A JobManager that does not answer says nothing. */
async function followJob(io: Io, { jobManager }: Rest, jobId: string, progress: Progress): Promise<Ending> {
  let last = '';
  let known: JobEnding | undefined;
  let endedAt: Instant | undefined;
  while (!io.interrupted.aborted) {
    const facts = await jobManager.overview().catch((error: unknown) => {
      if (isDispatchError(error) && error.retryable) return undefined;
      throw error;
    });
    const job = facts?.jobs.find(({ id }) => id === jobId);
    if (facts !== undefined && job === undefined) {
      return { state: 'UNKNOWN', jobs: [], message: `the JobManager no longer knows job ${jobId}` };
    }
    const line = job === undefined ? 'the JobManager does not answer' : `job ${job.name} (${job.id}) ${job.state}`;
    if (line !== last) progress.say(line);
    last = line;
    if (job !== undefined && isTerminal(job.state)) {
      known = await readJob(jobManager, job, known);
      endedAt ??= io.clock.now();
      if (isSettled(known) || io.clock.now() - endedAt >= SETTLES) return endingOf([known]);
    }
    await io.clock.sleep(500);
  }
  return { state: 'INTERRUPTED', jobs: [] };
}
