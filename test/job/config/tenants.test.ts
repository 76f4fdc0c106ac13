import { describe, expect, it } from 'vitest';
import { runIdFor } from '../../../lib/core/ids.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { deploymentOf, withTenant } from '../../../lib/job/config/tenants.ts';
import type { ResolvedJob } from '../../../lib/job/job.ts';
import { prepareRun } from '../../../lib/job/prepare.ts';
import { storedJobsIn } from '../../../lib/job/spec/stored-jobs.ts';
import type { RunRequest, RunSource } from '../../../lib/trigger/request.ts';
import { jarFixture, MemoryObjects } from '../jar/memory-objects.ts';

const ARN = 'arn:aws:sqs:eu-central-1:111122223333:';
const BASE = `
targets:
  default: { namespace: flink, namespaces: [payments, payments-batch, orders], access: { kind: in-cluster } }
  far: { namespace: orders, access: { kind: secret, arn: x } }
defaults: { image: 'flink:2.3.0', flinkVersion: v2_3, serviceAccount: flink }
`;
const TWO = `${BASE}
rules: [{ match: { key: '**' }, spec: { job: { kind: streaming, upgradeMode: stateless } } }]
tenants:
  payments:
    sources: [{ bucket: jars, prefix: payments/ }, { queue: '${ARN}payments' }, { scheduleGroup: payments }]
    targets: { default: [payments, payments-batch] }
    rules: [{ match: { job: nightly }, spec: { namespace: payments-batch } }]
    defaults: { job: { parallelism: 3 } }
    allow: { images: ['flink:*'], jarBuckets: [jars, ledger], notify: ['${'https://sqs.eu-central-1.amazonaws.com/1/payments'}'], options: { allow: ['user.artifacts.*'] } }
  orders:
    sources: [{ bucket: jars, prefix: orders/ }, { queue: '${ARN}orders' }, { scheduleGroup: orders }]
    targets: { far: [orders] }
    allow: { images: ['other:*', 'flink:*'], jarBuckets: [jars], secrets: ['*'] }
`;
const DEPLOYMENT = parseDispatchConfig(TWO);
const JOB = { jarURI: 'local:///opt/job.jar', entryClass: 'a.B' };

const queue = (name: string): RunSource => ({ kind: 'message', queueArn: ARN + name, messageId: 'm' });
const objects = (): MemoryObjects => new MemoryObjects();

async function prepare(
  source: RunSource,
  more: Pick<RunRequest, 'spec' | 'job'>,
  store = objects(),
  deployment = DEPLOYMENT,
): Promise<ResolvedJob> {
  const request = withTenant({ source, identity: 'i', ...more }, deployment);
  const deps = { objects: store, storedJobs: storedJobsIn(store, 'ledger'), deployment };
  return (await prepareRun(request, deps, 0)).job;
}

const tenantOf = (source: RunSource): string | undefined => withTenant({ source, identity: 'i' }, DEPLOYMENT).tenant;
const upload = (key: string, bucket = 'jars'): RunSource => ({ kind: 'jar-upload', bucket, key, eventTime: 0 });
const schedule = (calledBy?: string): RunSource => ({
  ...{ kind: 'schedule', scheduledTime: 0, ...(calledBy === undefined ? {} : { calledBy }) },
  schedule: 'arn:aws:scheduler:r:1:schedule/payments/nightly',
});

describe('the tenant of a request', () => {
  it.each<[string, RunSource, string | undefined]>([
    ['an upload into its folder', upload('payments/a/b.jar'), 'payments'],
    ['an upload into another’s', upload('orders/b.jar'), 'orders'],
    ['an upload into a folder that begins like it', upload('payments-2/b.jar'), undefined],
    ['an upload into another bucket', upload('payments/b.jar', 'jars-2'), undefined],
    ['a message on its queue', queue('orders'), 'orders'],
    ['a message on a queue of nobody', queue('orders-2'), undefined],
    ['a schedule that called its alias', schedule('orders'), 'orders'],
    ['a schedule that only says its group', schedule(), undefined],
  ])('is told by its source: %s', (_what, source, tenant) => {
    expect(tenantOf(source)).toBe(tenant);
  });

  it('makes its run id another one', () => {
    const ids = [queue('payments'), queue('orders'), queue('none')].map((source) =>
      runIdFor(withTenant({ source, identity: 'same' }, DEPLOYMENT).identity),
    );
    expect(new Set(ids).size).toBe(3);
    expect(ids[2]).toBe(runIdFor('same'));
  });

  it('is nothing where there are no tenants', async () => {
    const deployment = parseDispatchConfig(`${BASE}allow: { images: ['flink:*'] }`);
    const request = { source: queue('any'), identity: 'i' };
    expect(withTenant(request, deployment)).toBe(request);
    const job = await prepare(queue('any'), { spec: { job: JOB } }, objects(), deployment);
    expect(job).toMatchObject({ namespace: 'flink', target: 'default' });
  });
});

describe('what a tenant has', () => {
  it('is its own namespace, defaults and rules, and the deployment’s', async () => {
    expect(await prepare(queue('payments'), { spec: { job: JOB } })).toMatchObject({
      ...{ target: 'default', namespace: 'payments', kind: 'batch' },
      options: { 'parallelism.default': '3', 'kubernetes.container.image.ref': 'flink:2.3.0' },
    });
    const store = objects().put('jars/payments/a.jar', jarFixture('main-class'));
    expect(await prepare(upload('payments/a.jar'), {}, store)).toMatchObject({ kind: 'streaming' });
    expect(await prepare(queue('orders'), { spec: { job: JOB } })).toMatchObject({
      target: 'far',
      namespace: 'orders',
    });
  });

  it('is its own jobs for CloudEvents, after the deployment’s', () => {
    const rule = (type: string): string => `events: [{ match: { type: ${type} }, runJob: load }]`;
    const text = TWO.replace('rules: [{ match: { key', `${rule('all')}\n$&`);
    const config = parseDispatchConfig(text.replace('    targets: { far', `    ${rule('own')}\n$&`));
    const typesFor = (name: string): string[] => {
      const request = withTenant({ source: queue(name), identity: name }, config);
      return deploymentOf(request, config).events.map(({ match }) => match.type);
    };
    expect([typesFor('payments'), typesFor('orders')]).toEqual([['all'], ['all', 'own']]);
  });

  it('is its own stored jobs', async () => {
    const text = JSON.stringify({ name: 'nightly', job: JOB });
    const store = objects().put('ledger/jobs/payments/nightly.yaml', text).put('ledger/jobs/weekly.yaml', text);
    const job = await prepare(queue('payments'), { job: 'nightly' }, store);
    expect(job).toMatchObject({ name: 'nightly', namespace: 'payments-batch' });
    for (const name of ['nightly', 'weekly', 'payments/nightly', '../payments/nightly'])
      await expect(prepare(queue('orders'), { job: name }, store)).rejects.toMatchObject({ reason: 'UnknownJob' });
  });
});

const HTTPS = 'https://sqs.eu-central-1.amazonaws.com/1/payments';

describe('what belongs to another tenant is refused', () => {
  it.each<[string, string, Record<string, unknown>, string, string]>([
    ['its target', 'payments', { target: 'far', job: JOB }, 'UnknownTarget', 'target'],
    ['its namespace', 'payments', { namespace: 'orders', job: JOB }, 'NotAllowed', 'namespace'],
    ['a namespace of nobody', 'payments', { namespace: 'flink', job: JOB }, 'NotAllowed', 'namespace'],
    ['its image', 'payments', { image: 'other:1', job: JOB }, 'NotAllowed', 'image'],
    ['its address', 'orders', { notify: [HTTPS], job: JOB }, 'NotAllowed', 'notify'],
    ['its jar', 'payments', { job: { ...JOB, jarURI: 's3://jars/orders/x.jar' } }, 'NotAllowed', 'job.jarURI'],
    ['its jar, in capitals', 'payments', { job: { ...JOB, jarURI: 'S3://jars/orders/x' } }, 'NotAllowed', 'job.jarURI'],
    [
      'its stored jar',
      'payments',
      { job: { ...JOB, jarURI: 's3://ledger/jobs/orders/x.jar' } },
      'NotAllowed',
      'job.jarURI',
    ],
    ['a record', 'payments', { job: { ...JOB, jarURI: 's3://ledger/runs/0/x.jar' } }, 'NotAllowed', 'job.jarURI'],
    [
      'its jar as a dependency',
      'payments',
      { flinkConfiguration: { 'user.artifacts.artifact-list': 'https://h/x; s3://jars/orders/x.jar' }, job: JOB },
      'NotAllowed',
      'flinkConfiguration["user.artifacts.artifact-list"]',
    ],
    ...[
      "['s3://jars/orders/x.jar']",
      'https://h/x;s3a://jars/orders/x.jar',
      'S3P://jars/orders/x.jar',
      's3://jars/payments/../orders/x.jar',
      's3://jars//orders/x.jar',
      's3://jars/payments\\..\\orders/x.jar',
      's3://jars/./orders/x.jar',
      "'s3://jars/orders/x;y.jar'",
    ].map((uris): [string, string, Record<string, unknown>, string, string] => [
      `its jar as a dependency, as Flink reads ${uris}`,
      'payments',
      { flinkConfiguration: { 'user.artifacts.artifact-list': uris }, job: JOB },
      'NotAllowed',
      'flinkConfiguration["user.artifacts.artifact-list"]',
    ]),
    [
      'its jar by its own folder',
      'payments',
      { job: { ...JOB, jarURI: 's3://jars/payments/../orders/x.jar' } },
      'NotAllowed',
      'job.jarURI',
    ],
    ['its name', 'payments', { tenant: 'orders', job: JOB }, 'InvalidSpec', 'tenant'],
    ['a source without a tenant', 'nobody', { job: JOB }, 'NotAllowed', 'source'],
  ])('%s', async (_what, from, spec, reason, field) => {
    await expect(prepare(queue(from), { spec })).rejects.toMatchObject({ reason, field });
  });

  it('in a file beside a jar as well, whatever a rule says', async () => {
    const store = objects().put('jars/payments/nightly.jar', jarFixture('main-class'));
    store.put('jars/payments/job.yaml', 'name: nightly\nnamespace: orders');
    await expect(prepare(upload('payments/nightly.jar'), {}, store)).rejects.toMatchObject({ field: 'namespace' });
  });

  it('while what is its own is not', async () => {
    const store = objects().put('jars/payments/x.jar', jarFixture('main-class'));
    store.put('ledger/jobs/payments/x.jar', jarFixture('main-class'));
    for (const jarURI of ['s3://jars/payments/x.jar', 's3://ledger/jobs/payments/x.jar'])
      expect(await prepare(queue('payments'), { spec: { job: { jarURI } } }, store)).toMatchObject({
        jar: { uri: jarURI },
      });
    const job = await prepare(queue('payments'), { spec: { notify: [HTTPS], job: JOB } });
    expect(job.notify).toEqual([HTTPS]);
  });
});

describe('a configuration in which tenants meet', () => {
  const tenant = (more: string): string => `{ sources: [{ queue: '${ARN}a' }], targets: { default: [flink] }${more} }`;
  const two = (a: string, b: string): string => `${BASE}tenants: { a: ${a}, b: ${b} }`;
  const of = (sources: string, namespace = 'orders'): string =>
    `{ sources: [${sources}], targets: { default: [${namespace}] } }`;

  it.each<[string, string, string, string]>([
    ['one queue', two(tenant(''), of(`{ queue: '${ARN}a' }`)), 'tenants.b.sources[0]', 'also of tenant a'],
    [
      'one folder within another',
      two(of('{ bucket: jars }', 'flink'), of('{ bucket: jars, prefix: a/ }')),
      'tenants.b.sources[0]',
      'also of tenant a',
    ],
    ['one namespace', two(tenant(''), of('{ bucket: j-2 }', 'flink')), 'tenants.b.targets.default', 'flink is also of'],
    ['one group', two(of('{ scheduleGroup: g }', 'flink'), of('{ scheduleGroup: g }')), 'tenants.b.sources[0]', 'also'],
    [
      'a namespace that its target has not',
      two(tenant(''), of('{ bucket: jars }', 'x')),
      'tenants.b.targets.default',
      'add x',
    ],
    [
      'a target that is not there',
      `${BASE}tenants: { a: { sources: [{ bucket: jars }], targets: { no: [x] } } }`,
      'tenants.a.targets.no',
      'must be one of targets',
    ],
    [
      'an allow-list of all',
      `${BASE}allow: {}\ntenants: { a: ${tenant('')} }`,
      'allow',
      'must be left out beside tenants',
    ],
    [
      'a prefix without a /',
      `${BASE}tenants: { a: ${of('{ bucket: jars, prefix: a }')} }`,
      'tenants.a.sources[0].prefix',
      'must be folders',
    ],
    [
      'a source of two kinds',
      `${BASE}tenants: { a: ${of(`{ bucket: jars, queue: '${ARN}a' }`)} }`,
      'tenants.a.sources[0]',
      'must be one of',
    ],
    ['a name that is none', `${BASE}tenants: { A/b: ${tenant('')} }`, 'tenants["A/b"]', 'is not valid'],
  ])('is refused: %s', (_what, text, field, message) => {
    expect(() => parseDispatchConfig(text)).toThrow(
      expect.objectContaining({ reason: 'InvalidConfiguration', field }) as Error,
    );
    expect(() => parseDispatchConfig(text)).toThrow(message);
  });

  it('is none where the same namespace is of two clusters', () => {
    const text = `${BASE}tenants: { a: { sources: [{ bucket: jars }], targets: { default: [orders] } }, b: { sources: [{ bucket: j-2 }], targets: { far: [orders] } } }`;
    expect(Object.keys(parseDispatchConfig(text).tenants)).toEqual(['a', 'b']);
  });
});
