import { AppsV1Api, CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createClusters } from '../../../lib/kubernetes/cluster/clusters.ts';
import { createKubernetesApi } from '../../../lib/kubernetes/api/https-api.ts';
import { createRestTransport } from '../../../lib/kubernetes/access/rest-access.ts';
import { advance } from '../../../lib/dispatch/advance.ts';
import type { DispatchDeps } from '../../../lib/dispatch/deps.ts';
import type { Target } from '../../../lib/dispatch/targets.ts';
import { createApplicationManager, createJobManager } from '../../../lib/flink/rest/job-manager.ts';
import { createJobHistory } from '../../../lib/flink/rest/history.ts';
import { createS3ArchiveStore } from '../../../lib/run/store/history/s3-archive-store.ts';
import { createS3SampleStore } from '../../../lib/run/store/history/s3-sample-store.ts';
import { hasAttempt, updateAttempt } from '../../../lib/run/machine.ts';
import type { Ledger } from '../../../lib/run/store/ledger.ts';
import { isRunMessage, type RunMessage } from '../../../lib/run/store/run-queue.ts';
import { createS3Ledger } from '../../../lib/run/store/s3-ledger.ts';
import { createSqsRunQueue } from '../../../lib/run/store/sqs-run-queue.ts';
import { systemClock } from '../../../functions/clock.ts';
import { NO_TASKS } from '../../../lib/outcome/task-callbacks.ts';
import { FakeEvidenceStore } from '../../fakes/evidence.ts';
import { LEDGER, NAMESPACE, type Member } from './fleet.ts';

/** Looks at one run, once, and asks to be called again. */
export interface Way {
  readonly ledger: Ledger;
  look(of: Member, message: RunMessage): Promise<void>;
}

function unused(what: string): never {
  throw new Error(`a look at a run that is well has no use for ${what}`);
}
const nothing = <T extends object>(what: string): T => new Proxy({} as T, { get: () => unused(what) });

/** What the deployed function does with a run message, with its own adapters. `again` gets the message that it sends. */
export function ours(
  url: string,
  again: (message: RunMessage, delaySeconds: number) => void,
  due: 'nothing' | 'sample' | 'draft' = 'nothing',
): Way {
  const config = { endpoint: url, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const ledger = createS3Ledger({ s3, bucket: LEDGER });
  const queue = createSqsRunQueue({ sqs: new SQSClient(config), queueUrl: `${url}/1/runs` });
  const api = createKubernetesApi({ server: url, credentials: () => Promise.resolve({ headers: {}, tls: {} }) });
  const clusters = createClusters(api);
  const target: Target = {
    cluster: clusters,
    namespaces: [NAMESPACE],
    jobManager: (ref) => createJobManager(createRestTransport(api, ref, { kind: 'service-proxy' })),
    application: (ref) => createApplicationManager(createRestTransport(api, ref, { kind: 'service-proxy' })),
    savepoints: () => unused('savepoints'),
    rescaling: () => unused('rescaling'),
    history: (ref) => createJobHistory(createRestTransport(api, ref, { kind: 'service-proxy' })),
    session: () => unused('sessions'),
  };
  const deps: DispatchDeps = {
    ledger: withHistory(ledger, due),
    deployments: nothing('deployments'),
    runQueue: {
      async send(message, delaySeconds) {
        await queue.send(message, delaySeconds);
        if (isRunMessage(message)) again(message, delaySeconds);
      },
    },
    locks: nothing('locks'),
    deadLetters: nothing('dead letters'),
    evidence: new FakeEvidenceStore(),
    reportOf: () => '',
    samples: createS3SampleStore({ s3, bucket: LEDGER }),
    archives: createS3ArchiveStore({ s3, bucket: LEDGER }),
    publisher: { publish: () => unused('events') },
    callbacks: NO_TASKS,
    eventContext: { source: '/bench', ledgerBucket: LEDGER },
    targets: () => Promise.resolve(target),
    deliver: () => unused('jars'),
    keepJar: () => unused('jars'),
    state: () => unused('state'),
    sessions: nothing('sessions'),
    clock: systemClock,
    log: { info: () => undefined, warn: (text, fields) => console.error(text, fields), error: console.error },
    inlineWait: 0,
  };
  return { ledger, look: (_of, message) => advance(message, deps, Date.now() + 60_000) };
}

/** What a look finds on record of the history, whatever was written: so that each one keeps a sample, or none does. */
function withHistory(ledger: Ledger, due: 'nothing' | 'sample' | 'draft'): Ledger {
  return {
    ...ledger,
    async read(runId) {
      const stored = await ledger.read(runId);
      if (stored === undefined || !hasAttempt(stored.value)) return stored;
      const now = Date.now();
      const archive = { jobs: [], draftedAt: due === 'draft' ? 0 : now };
      const sampled = { count: now % 1_000, at: due === 'sample' ? 0 : now };
      return { ...stored, value: updateAttempt(stored.value, { sampled, archive }) };
    },
  };
}

/** What a script would do: the Kubernetes client's classes, made for each look, and a fetch of the job's state. */
export function naive(url: string): Pick<Way, 'look'> {
  return {
    async look({ clusterId, jobId }) {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: 'a', server: url, skipTLSVerify: true }, { name: 'a' });
      const apps = config.makeApiClient(AppsV1Api);
      const core = config.makeApiClient(CoreV1Api);
      await apps.readNamespacedDeployment({ name: clusterId, namespace: NAMESPACE });
      await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector: `app=${clusterId}` });
      for (const path of ['/overview', '/jobs/overview', `/jobs/${jobId}`]) {
        const proxy = `/api/v1/namespaces/${NAMESPACE}/services/${clusterId}-rest:rest/proxy`;
        await (await fetch(`${url}${proxy}${path}`)).json();
      }
    },
  };
}
