import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DispatchError } from '../../lib/core/errors.ts';
import { runIdFor } from '../../lib/core/ids.ts';
import { namespacesOf, parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import { layersFor } from '../../lib/job/config/layers.ts';
import { fallbackName, prepareRun } from '../../lib/job/prepare.ts';
import { storedJobsIn } from '../../lib/job/spec/stored-jobs.ts';
import type { RunRequest, RunSource } from '../../lib/trigger/request.ts';
import { jarFixture, MemoryObjects } from './jar/memory-objects.ts';

const example = readFileSync(new URL('../../infra/dispatch.yml', import.meta.url), 'utf8');
const NOW = Date.parse('2026-11-21T05:00:00Z');

function prepare(request: RunRequest, objects = new MemoryObjects(), deployment = parseDispatchConfig(example)) {
  return prepareRun(request, { objects, storedJobs: storedJobsIn(objects, 'ledger'), deployment }, NOW);
}

function upload(key: string, more: Partial<Extract<RunSource, { kind: 'jar-upload' }>> = {}): RunRequest {
  return { source: { kind: 'jar-upload', bucket: 'jars', key, eventTime: NOW, ...more }, identity: `upload ${key}` };
}

function message(spec: Record<string, unknown> | undefined, job?: string): RunRequest {
  const source: RunSource = { kind: 'message', queueArn: 'arn:aws:sqs:x:1:q', messageId: 'm' };
  return { source, identity: 'message', ...(spec && { spec }), ...(job !== undefined && { job }) };
}

const jar = jarFixture('main-class');

describe('an uploaded jar', () => {
  it('runs on the defaults, with its own entry class, pinned as it was seen', async () => {
    const objects = new MemoryObjects().put('jars/nightly/Word Count.jar', jar, { versionId: 'v1' });
    const { job } = await prepare(upload('nightly/Word Count.jar', { versionId: 'v1' }), objects);
    expect(job).toMatchObject({
      name: 'word-count',
      mode: 'application',
      target: 'default',
      namespace: 'flink',
      flinkVersion: '2.3',
      entryClass: 'org.example.Job',
      args: [],
      kind: 'batch',
      jar: {
        uri: 's3://jars/nightly/Word Count.jar',
        s3: { bucket: 'jars', key: 'nightly/Word Count.jar', versionId: 'v1' },
      },
      options: { 'kubernetes.container.image.ref': 'flink:2.3.0', 'pipeline.name': 'word-count' },
    });
    expect(JSON.parse(JSON.stringify(job))).toEqual(job);
    expect(objects.requests).toHaveLength(5);
  });

  const own = 'job: { args: [own] }';
  const shared = 'job: { args: [shared] }';

  it('finds its spec in metadata, then beside it, then in the prefix', async () => {
    const objects = new MemoryObjects().put('jars/a/x.jar', jar);
    const args = async () => (await prepare(upload('a/x.jar'), objects)).job.args;
    expect(await args()).toEqual([]);
    objects.put('jars/a/job.yaml', shared);
    expect(await args()).toEqual(['shared']);
    objects.put('jars/a/x.jar.job.yaml', own);
    expect(await args()).toEqual(['own']);
    objects.put('jars/a/x.jar', jar, { metadata: { 'flink-job': '{"job": {"args": ["meta"]}}' } });
    expect(await args()).toEqual(['meta']);
    objects.put('jars/a/x.jar', jar, {
      metadata: { 'flink-args': '["simple"]', 'flink-name': 'simple', 'flink-parallelism': '3' },
    });
    expect(await args()).toEqual(['simple']);
  });

  it('lies at the root of a bucket as well', async () => {
    const objects = new MemoryObjects().put('jars/x.jar', jar).put('jars/job.yaml', shared);
    expect((await prepare(upload('x.jar'), objects)).job.args).toEqual(['shared']);
  });

  it('may name a stored job', async () => {
    const objects = new MemoryObjects()
      .put('jars/x.jar', jar, { metadata: { 'flink-stored-job': 'nightly', 'flink-args': '["more"]' } })
      .put('ledger/jobs/nightly.yaml', 'name: nightly\njob: { args: [stored], parallelism: 4 }');
    const { job } = await prepare(upload('x.jar'), objects);
    expect(job).toMatchObject({ name: 'nightly', args: ['more'], options: { 'parallelism.default': '4' } });
  });

  it('follows the rules of the deployment', async () => {
    const deployment = parseDispatchConfig(
      example.replace(
        'rules: []',
        "rules: [{ match: { key: 'streaming/*' }, spec: { job: { kind: streaming, upgradeMode: stateless }, image: 'flink:2.2.0', flinkVersion: '2.2' } }]",
      ),
    );
    const objects = new MemoryObjects().put('jars/streaming/x.jar', jar).put('jars/y.jar', jar);
    expect((await prepare(upload('streaming/x.jar'), objects, deployment)).job).toMatchObject({
      kind: 'streaming',
      flinkVersion: '2.2',
    });
    expect((await prepare(upload('y.jar'), objects, deployment)).job).toMatchObject({
      kind: 'batch',
      flinkVersion: '2.3',
    });
  });

  it.each<[string, MemoryObjects, string, string | undefined]>([
    ['is gone', new MemoryObjects(), 'JarNotFound', 'job.jarURI'],
    ['is no zip', new MemoryObjects().put('jars/x.jar', '<html>'), 'JarUnreadable', 'job.jarURI'],
    [
      'has a sum that nobody can check',
      new MemoryObjects().put('jars/x.jar', jar).put('jars/job.yaml', 'job: { jarSha256: abc }'),
      'InvalidSpec',
      'job.jarSha256',
    ],
    [
      'has no entry class',
      new MemoryObjects().put('jars/x.jar', jarFixture('no-main-class')),
      'EntryClassMissing',
      'job.entryClass',
    ],
    [
      'has wrong metadata',
      new MemoryObjects().put('jars/x.jar', jar, { metadata: { 'flink-entryclass': 'a.B' } }),
      'InvalidSpec',
      'x-amz-meta-flink-entryclass',
    ],
    [
      'has wrong args',
      new MemoryObjects().put('jars/x.jar', jar, { metadata: { 'flink-args': '--a b' } }),
      'InvalidSpec',
      'x-amz-meta-flink-args',
    ],
    [
      'has a broken sidecar',
      new MemoryObjects().put('jars/x.jar', jar).put('jars/job.yaml', '{'),
      'MalformedRequest',
      undefined,
    ],
    [
      'has a sidecar of another jar',
      new MemoryObjects().put('jars/x.jar', jar).put('jars/job.yaml', 'job: { jarURI: "s3://jars/y.jar" }'),
      'InvalidSpec',
      'job.jarURI',
    ],
    [
      'has an unknown key beside it',
      new MemoryObjects().put('jars/x.jar', jar).put('jars/job.yaml', 'imag: x'),
      'InvalidSpec',
      'imag',
    ],
  ])('is refused when it %s', async (_what, objects, reason, field) => {
    await expect(prepare(upload('x.jar'), objects)).rejects.toMatchObject({ reason, field, retryable: false });
  });

  it('is not run when newer content took its place', async () => {
    const objects = new MemoryObjects().put('jars/x.jar', jar);
    await expect(prepare(upload('x.jar', { eTag: 'older' }), objects)).rejects.toMatchObject({ reason: 'JarNotFound' });
  });

  it('is tried again when storage gives no answer', async () => {
    const objects = new MemoryObjects();
    objects.head = () => Promise.reject(new DispatchError('StorageUnavailable', 'no answer'));
    await expect(prepare(upload('x.jar'), objects)).rejects.toMatchObject({ retryable: true });
  });
});

describe('a message', () => {
  it('overrides a stored job', async () => {
    const objects = new MemoryObjects().put(
      'ledger/jobs/nightly.yaml',
      'job: { jarURI: "local:///a.jar", args: [stored], parallelism: 4 }',
    );
    const { job } = await prepare(message({ job: { args: ['mine'] } }, 'nightly'), objects);
    expect(job).toMatchObject({
      name: 'nightly',
      args: ['mine'],
      jar: { uri: 'local:///a.jar' },
      options: { 'parallelism.default': '4' },
    });
  });

  it.each(['nowhere', '../../jars/x', 'a/b', '..', ''])("refuses the stored job '%s'", async (name) => {
    await expect(prepare(message(undefined, name))).rejects.toMatchObject({ reason: 'UnknownJob', field: 'runJob' });
  });

  it('carries lifecycle wishes, and notes what has no effect', async () => {
    const { job } = await prepare(
      message({
        name: 'a',
        job: { jarURI: 'local:///a.jar', upgradeMode: 'stateless' },
        flinkConfiguration: {
          'execution.runtime-mode': 'STREAMING',
          'kubernetes.operator.savepoint.format.type': 'NATIVE',
        },
        restartNonce: 1,
        deadlines: { start: '90s', run: 'PT2H' },
        retry: { attempts: 3, backoff: '10 s' },
        concurrency: { policy: 'replace' },
        afterEnd: { keepCluster: 'on-failure', ttl: '30m' },
        logConfiguration: { 'log4j-console.properties': 'rootLogger.level = INFO' },
      }),
    );
    expect(job).toMatchObject({
      kind: 'streaming',
      deadlines: { start: 90_000, run: 7_200_000 },
      retry: { attempts: 3, backoff: 10_000 },
      concurrency: { key: 'a', policy: 'replace' },
      afterEnd: { keepCluster: 'on-failure', ttl: 1_800_000 },
      logConfiguration: { 'log4j-console.properties': 'rootLogger.level = INFO' },
    });
    expect(job.notes).toHaveLength(2);
  });

  it('merges pod templates container by container, by name', async () => {
    const { job } = await prepare(
      message({
        podTemplate: { spec: { containers: [{ name: 'flink-main-container', env: [{ name: 'A', value: '1' }] }] } },
        taskManager: {
          podTemplate: { spec: { containers: [{ name: 'flink-main-container', workingDir: '/x' }] } },
          resource: { ephemeralStorage: '1Gi' },
        },
        job: { jarURI: 'local:///a.jar' },
      }),
    );
    const env = [{ name: 'A', value: '1' }];
    expect(job.podTemplates).toEqual({
      jobManager: { spec: { containers: [{ name: 'flink-main-container', env }] } },
      taskManager: {
        spec: {
          containers: [
            {
              name: 'flink-main-container',
              env,
              workingDir: '/x',
              resources: { requests: { 'ephemeral-storage': '1Gi' }, limits: { 'ephemeral-storage': '1Gi' } },
            },
          ],
        },
      },
    });
  });

  it.each([
    [{ job: {} }, 'InvalidSpec', 'job.jarURI'],
    [{ job: { jarURI: 'local:///a.jar' }, target: 'moon' }, 'UnknownTarget', 'target'],
  ])('refuses %j', async (spec, reason, field) => {
    await expect(prepare(message(spec))).rejects.toMatchObject({ reason, field });
  });
});

describe('a schedule', () => {
  const source: RunSource = {
    kind: 'schedule',
    schedule: 'arn:s',
    scheduledTime: Date.parse('2026-03-29T23:30:00Z'),
    timeZone: 'Europe/Berlin',
  };

  it('fills in its time, in its time zone', async () => {
    const args = [
      '{{scheduledTime}}',
      '{{scheduledDate}}',
      '{{ scheduledDate -1d }}',
      '{{runId}}',
      '{{scheduledTime +2h yyyy/MM/dd HH:mm XXX}}',
      '\\{{x}}',
      '{{scheduledTime epochMillis}}',
    ];
    const objects = new MemoryObjects().put(
      'ledger/jobs/nightly.yaml',
      JSON.stringify({ job: { jarURI: 'local:///a.jar', args } }),
    );
    const { job } = await prepare({ source, identity: 'i', job: 'nightly' }, objects);
    expect(job.args).toEqual([
      '2026-03-29T23:30:00Z',
      '2026-03-30',
      '2026-03-29',
      runIdFor('i'),
      '2026/03/30 03:30 +02:00',
      '{{x}}',
      String(source.scheduledTime),
    ]);
  });

  it.each([
    '{{nope}}',
    '{{scheduledTime',
    '{{}}',
    '{{runId +1d}}',
    '{{scheduledTime QQ}}',
    '{{key}}',
    '{{constructor}}',
  ])('refuses %s', async (arg) => {
    const spec = { job: { jarURI: 'local:///a.jar', args: ['x', arg] } };
    await expect(prepare({ source, identity: 'i', spec })).rejects.toMatchObject({
      reason: 'InvalidSpec',
      field: 'job.args[1]',
    });
  });

  it('refuses a time zone that is none', async () => {
    const request = {
      source: { ...source, timeZone: 'Mars/Olympus' },
      identity: 'i',
      spec: { job: { jarURI: 'local:///a.jar' } },
    };
    await expect(prepare(request)).rejects.toMatchObject({ reason: 'InvalidSpec', field: 'timeZone' });
  });
});

describe('fallbackName', () => {
  it.each<[RunRequest, string]>([
    [upload('a/My Job.jar'), 'my-job'],
    [message({ name: 'good' }), 'good'],
    [message({ name: '../BAD' }), 'flink-job'],
    [message({ metadata: { name: 'from-manifest' } }), 'from-manifest'],
    [message(undefined, 'nightly'), 'nightly'],
  ])('is always valid', (request, name) => {
    expect(fallbackName(request)).toBe(name);
  });
});

describe('parseDeployment', () => {
  it('reads the example', () => {
    const deployment = parseDispatchConfig(example);
    expect(deployment.targets['default']).toMatchObject({
      namespace: 'flink',
      rest: { kind: 'service-proxy' },
      jarDelivery: { urlTtl: 21_600_000 },
    });
    const config = deployment.targets['default'];
    expect(config && namespacesOf(config)).toEqual(['flink']);
  });

  it('puts the defaults of the named target between those of the deployment and the rules', () => {
    const deployment = parseDispatchConfig(`
targets:
  default: { namespace: a, access: { kind: in-cluster } }
  prod: { namespace: b, access: { kind: kubeconfig, path: /k }, defaults: { image: prod } }
defaults: { image: low }
rules: [{ match: { job: 'n*' }, spec: { target: prod } }]
`);
    const { trusted } = layersFor(deployment, { user: [], source: message({}).source, storedJob: 'nightly' });
    expect(trusted.map((layer) => layer.image ?? layer.target)).toEqual(['low', 'prod', 'prod']);
  });

  it.each([
    ['targets: {}', 'targets'],
    ['targets: { default: { namespace: A, access: { kind: in-cluster } } }', 'targets.default.namespace'],
    ['targets: { default: { namespace: a, access: { kind: magic } } }', 'targets.default.access.kind'],
    ['targets: { default: { namespace: a, access: { kind: in-cluster } } }\nallow: { image: [] }', 'allow.image'],
    [
      'targets: { default: { namespace: a, access: { kind: in-cluster } } }\ndefaults: { flinkVersion: "1.2" }',
      'defaults.flinkVersion',
    ],
    [
      'targets: { default: { namespace: a, access: { kind: in-cluster } } }\nrules: [{ match: {}, spec: {} }]',
      'rules[0].match',
    ],
  ])('refuses %s', (text, field) => {
    expect(() => parseDispatchConfig(text)).toThrow(expect.objectContaining({ field }) as Error);
  });
});
