import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { defined } from '../../../../lib/core/defined.ts';
import type { Archive } from '../../../../lib/flink/archive/archive.ts';
import type { ClusterRef } from '../../../../lib/kubernetes/cluster/port.ts';
import type { Attempt, RunRecord } from '../../../../lib/run/record.ts';
import { has, valueOf } from '../command.ts';
import { namedAttempt } from '../commands/runs/logs.ts';
import type { ParsedFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/usage.ts';
import { openLedger, type LedgerReader } from '../ledger.ts';
import { printJson, type Io } from '../terminal/io.ts';
import { listen, portOf, untilInterrupted } from '../terminal/loopback.ts';
import { archiveApp } from './archive-app.ts';
import { findWebFiles } from './web-files.ts';

/**
 * `ui --run`: Flink's web UI of a run whose cluster is gone, until it is interrupted. Answers the cluster, and serves nothing,
 * while the run is on it.
 */
export async function runUi(io: Io, parsed: ParsedFlags, runId: string): Promise<ClusterRef | undefined> {
  const port = portOf(valueOf(parsed, 'port'));
  const ledger = await openLedger(io, parsed);
  const run = await ledger.read(runId);
  const attempt = namedAttempt(run, valueOf(parsed, 'attempt'));
  const { namespace, flinkVersion } = run.job ?? {};
  if (attempt.outcome === undefined && run.outcome === undefined && namespace !== undefined)
    return { clusterId: attempt.clusterId, namespace };
  const version = flinkVersion?.slice(1).replace('_', '.');
  const archives = await archivesOf(run, attempt, ledger);
  const web = await findWebFiles(io, { given: valueOf(parsed, 'flink'), version });
  try {
    const app = await archiveApp([...archives.values()], web, version ?? 'unknown');
    const server = createAdaptorServer({ fetch: app.fetch }) as Server;
    const address = `http://127.0.0.1:${await listen(server, port)}/`;
    const [first] = archives.keys();
    const url = archives.size === 1 && first !== undefined ? `${address}#/job/completed/${first}/overview` : address;
    if (has(parsed, 'json'))
      printJson(io, { runId: run.runId, attempt: attempt.number, jobs: [...archives.keys()], url });
    else io.out(`${url}\n`);
    io.err(`Flink's web UI of what is archived of run ${run.runId}, attempt ${attempt.number}; Ctrl-C ends it\n`);
    await untilInterrupted(io, server);
  } finally {
    await web.close();
  }
  return undefined;
}

/** By job. @throws UsageError when there are none */
async function archivesOf(
  { runId, tenant }: RunRecord,
  { number, archive }: Attempt,
  ledger: LedgerReader,
): Promise<ReadonlyMap<string, Archive>> {
  const found = new Map<string, Archive>();
  for (const jobId of archive?.jobs ?? []) {
    const one = await ledger.archive({ runId, ...defined({ tenant }), attempt: number, jobId });
    if (one !== undefined) found.set(jobId, one);
  }
  if (found.size > 0) return found;
  throw new UsageError(
    `run ${runId}, attempt ${number}: no JobManager told of its jobs, so there is nothing to show; flink-dispatch runs show ${runId} has its record`,
  );
}
