import { readFileSync } from 'node:fs';
import { clusterIdFor, jobIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { planCluster } from '../../../lib/dispatch/plan-cluster.ts';
import type { FlinkCluster } from '../../../lib/flink/cluster.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import { parseMessageEvent } from '../../../lib/trigger/message.ts';
import type { RunRequest } from '../../../lib/trigger/request.ts';
import { MemoryObjects } from '../jar/memory-objects.ts';

const EXAMPLE = readFileSync(new URL('../../../infra/dispatch.yml', import.meta.url), 'utf8')
  .replace("images: ['flink:*']", "images: ['*']")
  .replace('podTemplates: restricted', 'podTemplates: any');

/** A deployment that allows what the manifests ask for, and no more options than the example does. */
export const DEPLOYMENT = parseDispatchConfig(EXAMPLE);
const NOW = Date.parse('2026-11-21T05:00:00Z');

export interface Taken {
  readonly job: ResolvedJob;
  /** Of an application alone. */
  readonly cluster: FlinkCluster | undefined;
}

/** What becomes of a text that comes as a message: the job, and the objects of its cluster. */
export async function take(text: string, deployment = DEPLOYMENT, objects = new MemoryObjects()): Promise<Taken> {
  const [taken, ...others] = await takeAll(text, deployment, objects);
  if (taken === undefined || others.length > 0) throw new Error(`the message is ${others.length + 1} runs`);
  return taken;
}

/** The same of a message of several documents. */
export async function takeAll(
  text: string,
  deployment = DEPLOYMENT,
  objects = new MemoryObjects(),
): Promise<readonly Taken[]> {
  const record = { messageId: 'm', body: text, eventSourceARN: 'arn:aws:sqs:eu-central-1:1:q' };
  const [result] = parseMessageEvent({ Records: [record] }, NOW);
  if (result?.error !== undefined) throw result.error;
  return Promise.all((result?.requests ?? []).map((request) => takeRequest(request, deployment, objects)));
}

async function takeRequest(request: RunRequest, deployment: DispatchConfig, objects: MemoryObjects): Promise<Taken> {
  const stored = storedJobsIn(objects, 'ledger');
  const { job } = await prepareRun(request, { objects, storedJobs: stored, deployment }, NOW);
  if (job.mode === 'session') return { job, cluster: undefined };
  const runId = runIdFor('m');
  const jarUri = job.jar.uri.startsWith('local:') ? job.jar.uri : 'https://jar.invalid/job.jar';
  const cluster = planCluster(job, {
    clusterId: clusterIdFor(job.name, runId, 1),
    jobId: jobIdFor(runId, 1),
    owner: { kind: 'run', runId, attempt: 1 },
    delivery: { jarUri },
  });
  return { job, cluster };
}
