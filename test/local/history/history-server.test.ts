import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureFlink, type FlinkDistribution } from '../../../infra/local/flink/distribution.ts';
import { buildExampleJobs, type ExampleJobs } from '../../../infra/local/flink/example-jobs.ts';
import { runIdFor } from '../../../lib/core/ids.ts';
import { archiveOf, withEnd, writeArchive } from '../../../lib/flink/archive/archive.ts';
import { createHttpTransport } from '../../../lib/flink/rest/http-transport.ts';
import { createJobHistory } from '../../../lib/flink/rest/history.ts';
import { createJars } from '../../../lib/flink/rest/jars.ts';
import { createJobManager } from '../../../lib/flink/rest/job-manager.ts';
import type { Sample } from '../../../lib/run/samples/sample.ts';
import { seriesOf } from '../../../lib/run/samples/series.ts';
import { archiveKey } from '../../../lib/run/store/history/archive-store.ts';
import { freePort, startFlink, startSession } from './processes.ts';

const VERSIONS = ['1.20.0', '2.3.0'];

interface Kept {
  readonly jobId: string;
  readonly state: string;
  /** By path. */
  readonly archive: ReadonlyMap<string, string>;
}

/** Records a second into the last vertex, from the first sample to the last. */
function meanRate(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || first === last) return 0;
  const records = ({ counts }: Sample): number => counts.at(-1)?.recordsIn ?? 0;
  return ((records(last) - records(first)) * 1000) / (last.at - first.at);
}

function hasJava(): boolean {
  try {
    execFileSync('java', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

if (!hasJava()) process.stderr.write('SKIPPED: Flink’s HistoryServer, which needs Java\n');

describe.skipIf(!hasJava())('Flink’s own HistoryServer', () => {
  let folder: string;
  let told: Server;
  const flinks = new Map<string, FlinkDistribution>();
  const kept: Kept[] = [];
  const sampled = new Map<string, readonly Sample[]>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'history-'));
    // The job that counts for ever tells it, and the test waits for that.
    told = createServer((request, response) => {
      request.resume();
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => told.listen(0, '127.0.0.1', resolve));
    for (const version of VERSIONS) {
      const flink = await ensureFlink({ version, log: () => undefined });
      flinks.set(version, flink);
      await runJobs(flink, await buildExampleJobs(flink));
    }
  }, 600_000);

  afterAll(() => {
    told.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** One that finishes, one that fails, one that is canceled, and one whose JobManager dies. */
  async function runJobs(flink: FlinkDistribution, jobs: ExampleJobs): Promise<void> {
    const session = await startSession(flink, join(folder, flink.version));
    const transport = createHttpTransport(session.url);
    const [jars, history, manager] = [createJars(transport), createJobHistory(transport), createJobManager(transport)];
    const counts = [`http://127.0.0.1:${(told.address() as AddressInfo).port}/`, 'v1'];
    const run = async (jar: string, programArgs: readonly string[] = []): Promise<string> =>
      jars.run(await jars.upload(basename(jar), readFileSync(jar)), { programArgs });
    const until = (id: string, state: string) =>
      session.jobManager.line(new RegExp(`${id}\\)? switched from state \\w+ to ${state}`));
    const [finished, failed] = [await run(jobs.wordCount), await run(jobs.failingJob)];
    const [canceled, lost] = [await run(jobs.counting, counts), await run(jobs.counting, counts)];
    await until(finished, 'FINISHED');
    await until(failed, 'FAILED');
    await session.jobManager.lines(new RegExp(`Completed checkpoint \\d+ for job ${lost}`), 3);
    await manager.cancel(canceled);
    await until(canceled, 'CANCELED');
    sampled.set(flink.version, await samplesOf(lost, session.jobManager, history));
    const ends = { [finished]: 'FINISHED', [failed]: 'FAILED', [canceled]: 'CANCELED', [lost]: 'FAILED' };
    for (const [jobId, state] of Object.entries(ends)) {
      const archive = archiveOf(jobId, await history.answers(jobId));
      if (archive === undefined) throw new Error(`no archive of ${jobId}`);
      const exception = { message: 'the JobManager is gone', stackTrace: 'the JobManager is gone\n\tat x' };
      const whole = withEnd(jobId, archive, { state: 'FAILED', at: Date.now(), exception });
      kept.push({ jobId, state, archive: whole });
      // Those of a tenant have a folder of their own.
      const tenant = state === 'CANCELED' ? { tenant: 'payments' } : {};
      const path = join(folder, archiveKey({ runId: runIdFor(jobId), attempt: 1, jobId, ...tenant }));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, writeArchive(whole));
    }
    await session.stop();
  }

  /** Until the JobManager, which fetches metrics when it is asked and ten seconds are over, tells that the job goes on. */
  async function samplesOf(
    jobId: string,
    jobManager: Awaited<ReturnType<typeof startSession>>['jobManager'],
    history: ReturnType<typeof createJobHistory>,
  ): Promise<readonly Sample[]> {
    const samples: Sample[] = [];
    while (samples.length < 3 || (meanRate(samples) <= 5 && samples.length < 20)) {
      const figures = await history.figures(jobId, 'streaming');
      samples.push({ ...figures, at: Date.now() });
      const seen = figures.checkpoints?.completed ?? 0;
      await jobManager.lines(new RegExp(`Completed checkpoint \\d+ for job ${jobId}`), seen + 5);
    }
    return samples;
  }

  it.each(VERSIONS)('%s lists all jobs, of both versions, and shows what was archived of them', async (version) => {
    const flink = flinks.get(version);
    if (flink === undefined) throw new Error('no Flink');
    const url = `http://127.0.0.1:${await freePort()}`;
    const [archive, tenants] = [join(folder, 'archive'), join(folder, 'archive', 'payments')];
    const server = startFlink(flink, 'historyserver.sh', {
      folder: join(folder, `history-server-${version}`),
      options: {
        'historyserver.archive.fs.dir': `file://${archive},file://${tenants}`,
        'historyserver.web.address': '127.0.0.1',
        'historyserver.web.port': new URL(url).port,
        'historyserver.web.tmpdir': join(folder, `web-${version}`),
        'historyserver.archive.fs.refresh-interval': '1000',
      },
    });
    try {
      await server.lines(/Processing archive \S+ finished/, kept.length);
      await server.line(/Web frontend listening at/);
      const { jobs } = (await (await fetch(`${url}/jobs/overview`)).json()) as {
        jobs: { jid: string; state: string }[];
      };
      const listed = jobs.map(({ jid, state }) => `${jid} ${state}`).sort();
      expect(listed).toEqual(kept.map(({ jobId, state }) => `${jobId} ${state}`).sort());
      const pages = kept.flatMap(({ archive }) => [...archive]).filter(([path]) => path !== '/jobs/overview');
      for (const [path, json] of pages) {
        const answer = await fetch(`${url}${path}`);
        expect([path, answer.status, await answer.text()]).toEqual([path, 200, json]);
      }
    } finally {
      await server.stop();
    }
  });

  it.each(VERSIONS)('of jobs on %s all is there that its page asks for', (version) => {
    const of = kept.slice(VERSIONS.indexOf(version) * 4, VERSIONS.indexOf(version) * 4 + 4);
    for (const { jobId, archive } of of) {
      const parts = ['', '/plan', '/exceptions', '/checkpoints', '/config', '/accumulators', '/jobmanager/config'];
      const missing = parts.filter((part) => !archive.has(`/jobs/${jobId}${part}`));
      expect(missing.filter((part) => part !== '/checkpoints')).toEqual([]);
      const { vertices } = JSON.parse(archive.get(`/jobs/${jobId}`) ?? '{}') as { vertices: { id: string }[] };
      for (const { id } of vertices) {
        for (const part of ['', '/subtasktimes', '/taskmanagers', '/accumulators'])
          expect(archive.has(`/jobs/${jobId}/vertices/${id}${part}`), `${id}${part}`).toBe(true);
      }
    }
  });

  it.each(VERSIONS)('beside, samples of Flink %s are what its job did', (version) => {
    const series = seriesOf(sampled.get(version) ?? []);
    const last = series?.points.at(-1);
    // Twenty numbers a second.
    expect(meanRate(sampled.get(version) ?? [])).toBeGreaterThan(5);
    expect(meanRate(sampled.get(version) ?? [])).toBeLessThan(60);
    expect(last?.heap?.used).toBeGreaterThan(1_000_000);
    expect(last?.checkpoint?.age).toBeLessThan(30_000);
    expect(last?.restarts).toBeGreaterThanOrEqual(0);
  });
});
