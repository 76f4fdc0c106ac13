import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { beforeAll, describe, it } from 'vitest';
import type { ApiResponse, KubernetesApi } from '../../lib/kubernetes/api/api.ts';
import { createClusters } from '../../lib/kubernetes/cluster/clusters.ts';
import { findFailure } from '../../lib/diagnosis/findings.ts';
import { kubeconfigConnection } from '../../lib/kubernetes/access/kubeconfig.ts';
import { findInLog } from '../../lib/diagnosis/log-findings.ts';
import type { ClusterRef } from '../../lib/kubernetes/cluster/port.ts';
import { parseClusterId } from '../../lib/core/ids.ts';
import { redactText } from '../../lib/core/redaction/redact.ts';
import { readConfiguration } from '../../lib/flink/config/files.ts';
import { readPodTemplate } from '../../lib/flink/native/pod-template.ts';
import { createClusterInspection } from '../../lib/flink/rest/inspection.ts';
import { createApplications, createJobManager } from '../../lib/flink/rest/job-manager.ts';
import { createJars } from '../../lib/flink/rest/jars.ts';
import { createSavepoints } from '../../lib/flink/rest/savepoints.ts';
import type { RestResponse } from '../../lib/flink/rest/transport.ts';
import { readJar } from '../../lib/job/jar/jar.ts';
import { decide } from '../../lib/verdict/decide.ts';
import type { Observation } from '../../lib/verdict/observation.ts';
import { MemoryObjects } from '../job/jar/memory-objects.ts';
import { look, runIn, UNREACHABLE } from '../verdict/observations.ts';
import { holds } from './hold.ts';
import { nearBytes, nearJson, nearText } from './mutate.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);

function filesUnder(folder: string, suffix: string): string[] {
  return readdirSync(new URL(folder, FIXTURES), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => new URL(`${folder}${name}`, FIXTURES).pathname);
}
const texts = (folder: string, suffix: string): string[] =>
  filesUnder(folder, suffix).map((file) => readFileSync(file, 'utf8'));

const answers = texts('flink/rest/', '.json').map((text) => JSON.parse(text) as unknown);
const status = fc.constantFrom(200, 200, 200, 202, 301, 400, 404, 409, 429, 500, 503);
const RECORD = runIn('running', 60_000);
const { jobId } = RECORD.attempts[0] ?? { jobId: '' };

describe("a JobManager's answers", () => {
  it('of any shape are facts or unusable, never a crash', async () => {
    const answered = fc.array(fc.tuple(status, nearJson(answers)), { minLength: 1, maxLength: 8 });
    await holds(answered, async (list) => {
      let next = 0;
      const transport = (): Promise<RestResponse> => {
        const [code, text] = list[next++ % list.length] ?? [200, '{}'];
        return Promise.resolve({ status: code, body: JSON.parse(text) as unknown });
      };
      const jobManager = createJobManager(transport);
      const calls = [
        () => jobManager.overview(),
        () => jobManager.result(jobId),
        () => jobManager.cancel(jobId),
        () => createApplications(transport).exception('a'),
        () => createSavepoints(transport).trigger(jobId, {}),
        () => createSavepoints(transport).status({ kind: 'savepoint', jobId, triggerId: 'b' }),
        () => createJars(transport).run('c', {}),
        () => createClusterInspection(transport).configuration(),
        () => createClusterInspection(transport).taskManagers(),
      ];
      for (const call of calls) await holdsOnce(call);
    });
  });

  it('lead to a verdict, whatever they say', async () => {
    await holds(fc.array(nearJson(answers), { minLength: 4, maxLength: 4 }), async (list) => {
      let next = 0;
      const transport = (): Promise<RestResponse> =>
        Promise.resolve({ status: 200, body: JSON.parse(list[next++ % list.length] ?? '{}') as unknown });
      const facts = await createJobManager(transport).overview();
      decide(look(RECORD, { state: 'answered', facts }), RECORD, 0);
    });
  });
});

/** One call of several: what it refuses is its answer. */
async function holdsOnce(call: () => Promise<unknown>): Promise<void> {
  await holds(fc.constant(undefined), call, 1);
}

describe("an API server's answers", () => {
  const recordings = texts('kubernetes/', 'facts.json').map((text) => JSON.parse(text) as Recording);
  const ref: ClusterRef = { namespace: 'flink', clusterId: parseClusterId('a') };

  interface Recording {
    readonly deployment: unknown;
    readonly pods: unknown;
    readonly events: unknown;
  }

  it('of any shape lead to facts, a finding and a verdict, or are unusable', async () => {
    await holds(fc.tuple(nearJson(recordings), status), async ([text, code]) => {
      const { deployment, pods, events } = (JSON.parse(text) ?? {}) as Partial<Recording>;
      const api: KubernetesApi = {
        request({ path }): Promise<ApiResponse> {
          const body = path.includes('/deployments/') ? deployment : { items: path.endsWith('/pods') ? pods : events };
          return Promise.resolve({ status: code, body: code < 300 ? body : { kind: 'Status', message: body } });
        },
      };
      const facts = await createClusters(api).observe(ref);
      findFailure(facts, 0);
      const seen: Observation = { ...look(RECORD, UNREACHABLE), kubernetes: facts };
      decide(seen, RECORD, 0);
    });
  });
});

describe('files', () => {
  // The reader of kubeconfigs loads it, which takes longer than any reader may.
  beforeAll(() => import('@kubernetes/client-node'));

  it('logs', async () => {
    const logs = texts('kubernetes/', '.txt');
    await holds(nearText(logs), (text) => {
      findInLog(text);
      redactText(text);
    });
  });

  it('jars', async () => {
    const jars = filesUnder('jars/', '.jar').map((file) => readFileSync(file));
    await holds(nearBytes(jars), async (bytes) => {
      const objects = new MemoryObjects().put('jars/a.jar', bytes);
      await readJar((range) => objects.read({ bucket: 'jars', key: 'a.jar' }, range), 's3://jars/a.jar');
    });
  });

  it('conf folders and pod templates', async () => {
    const conf = ['jobmanager:\n  memory:\n    process:\n      size: 1600m\nenv.java.opts.all: "--add-exports a=b"\n'];
    await holds(nearText(conf), (text) => readConfiguration({ 'config.yaml': text }, '2.3'));
    await holds(nearText(conf), (text) => readConfiguration({ 'flink-conf.yaml': text }, '1.19'));
    const template = [
      'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: flink-main-container\n    image: a\n',
    ];
    await holds(nearText(template), (text) => readPodTemplate(text, 'kubernetes.pod-template-file.default'));
  });

  it('kubeconfigs', async () => {
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'a',
      clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:6443' } }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a', namespace: 'flink' } }],
      users: [{ name: 'a', user: { token: 'none' } }],
    };
    await holds(nearJson([config]), (text) => kubeconfigConnection({ text }));
  });
});
