import { expect } from 'vitest';
import { isRecord } from '../../../lib/core/json.ts';
import { isDispatchError } from '../../../lib/core/errors.ts';
import { finishCluster, type FinishedCluster } from '../../../lib/flink/finished.ts';
import { DOCUMENTED } from '../../../lib/flink/options/documented.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { clusterRequest } from '../../../lib/job/cluster-request.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { sessionJobOptions } from '../../../lib/job/session.ts';
import { clusterIdFor, jobIdFor, runIdFor } from '../../../lib/core/ids.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import { jarFixture, MemoryObjects } from '../jar/memory-objects.ts';
import { HOSTILE } from './hostile.ts';

const DEPLOYMENT = parseDispatchConfig(`
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults:
  flinkVersion: '2.3'
  image: flink:2.3.0
  serviceAccount: flink
  podTemplate:
    metadata: { annotations: { vault.hashicorp.com/agent-inject: 'true' } }
    spec:
      hostIPC: true
      tolerations: [{ key: dedicated, operator: Exists }]
      containers:
        - { name: log-shipper, image: 'fluent/fluent-bit:3', volumeMounts: [{ name: node-logs, mountPath: /logs }] }
      volumes: [{ name: node-logs, hostPath: { path: /var/log } }]
sessions: { small: {} }
allow:
  images: ['team/*']
  jarUriSchemes: [local, s3]
  jarBuckets: [jars]
  secrets: ['job-*', 'flink-jar-*']
  configMaps: ['team-*', 'flink-config-*', 'pod-template-*', 'start-permit-*']
  notify: ['https://sqs.*.amazonaws.com/111122223333/*', 'arn:aws:sns:*:111122223333:*']
  maxResources: { cpu: 4, memory: 8g }
`);

export async function prepare(spec: Record<string, unknown>, deployment = DEPLOYMENT): Promise<ResolvedJob> {
  const objects = new MemoryObjects().put('jars/a.jar', jarFixture('main-class'));
  const deps = { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment };
  const source = { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' } as const;
  const own = isRecord(spec['job']) ? spec['job'] : {};
  const asked = { name: 'orders', ...spec, job: { jarURI: 'local:///a.jar', ...own } };
  return (await prepareRun({ source, identity: 'i', spec: asked }, deps, 0)).job;
}

const RUN = runIdFor('i');

export function finish(job: ResolvedJob): FinishedCluster {
  const marks = { labels: {}, annotations: {} };
  const purpose = { clusterId: clusterIdFor('orders', RUN, 1), jobId: jobIdFor(RUN, 1), jarUri: job.jar.uri, marks };
  return finishCluster(clusterRequest(job, purpose), job.mode === 'standalone' ? 'standalone' : 'native');
}

/** Flink's versions, and what else a job may be. */
export const WAYS = {
  '2.3': {},
  '1.20': { flinkVersion: '1.20' },
  '1.19': { flinkVersion: '1.19' },
  standalone: { mode: 'standalone' },
  session: { mode: 'session', session: { pool: 'small' }, job: { jarURI: 's3://jars/a.jar' } },
} satisfies Record<string, Record<string, unknown>>;

const KNOWN = new Set(DOCUMENTED.flatMap(({ key, olderNames }) => [key, ...olderNames]));

/** What is made of a job: pods, or in a session what its jar is run with. */
function madeOf(job: ResolvedJob): unknown {
  const { namespace, notify } = job;
  if (job.mode !== 'session')
    return { ...finish(job), cluster: undefined, configuration: undefined, namespace, notify };
  const { session } = job;
  // Flink passes over what it does not know.
  const options = Object.entries(sessionJobOptions(job)).filter(([key]) => KNOWN.has(key));
  return { namespace, notify, session, options };
}

/** The field that is refused; `harmless` when the same is made as of a spec that says nothing, which is `plain`. */
async function fieldOf(spec: Record<string, unknown>, way: Record<string, unknown>, plain: unknown): Promise<string> {
  try {
    const job = await prepare({ ...spec, ...way });
    expect(madeOf(job), JSON.stringify(spec)).toEqual(plain);
    return 'harmless';
  } catch (error) {
    if (!isDispatchError(error)) throw error;
    expect(error.reason).toMatch(/^(NotAllowed|InvalidConfiguration|InvalidSpec|UnknownTarget|JarNotFound)$/);
    expect(error.field, error.message).toMatch(/./);
    return error.field ?? '';
  }
}

/** The field by which each of the corpus is refused, as a text that is kept. */
export async function refusals(way: Record<string, unknown>): Promise<string> {
  const plain = madeOf(await prepare(way));
  const lines: string[] = [];
  for (const { kind, spec } of HOSTILE)
    lines.push(`${kind} ${JSON.stringify(spec)}\n    ${await fieldOf(spec, way, plain)}`);
  return `${lines.join('\n')}\n`;
}
