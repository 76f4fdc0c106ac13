import { describe, expect, it } from 'vitest';
import type { ClusterRequest } from '../../../lib/flink/cluster.ts';
import { buildCluster } from '../../../lib/flink/native/build-cluster.ts';
import { checkOptions } from '../../../lib/flink/options/check.ts';

function request(options: Record<string, string>, more: Partial<ClusterRequest> = {}): ClusterRequest {
  return {
    flinkVersion: '2.3.0',
    mode: 'application',
    options: { 'kubernetes.cluster-id': 'c', ...options },
    program: { jars: ['local:///job.jar'], args: [] },
    ...more,
  };
}

describe('a key that Flink would ignore', () => {
  it.each([
    ['kubernetes.jobmanger.cpu.amount', 'kubernetes.jobmanager.cpu.amount'],
    ['kubernetes.rest.service.exposed.type', 'kubernetes.rest-service.exposed.type'],
    ['kubernetes.env.secretkeyref', 'kubernetes.env.secretKeyRef'],
    ['kubernetes.cluster.id', 'kubernetes.cluster-id'],
    ['kubernetes.namepsace', 'kubernetes.namespace'],
    ['kubernetes.jobmanager.label', 'kubernetes.jobmanager.labels'],
  ])('%s: did you mean %s?', (key, near) => {
    expect(() => checkOptions(request({ [key]: 'x' }))).toThrow(`is not known: did you mean ${near}?`);
    expect(() => checkOptions(request({ [key]: 'x' }))).toThrow(key);
  });

  it.each([
    ['2.3.0', 'kubernetes.something.else', 'kubernetes.something.else', /is no option of Flink/],
    ['1.20.0', 'kubernetes.persistent-volume-claims', 'a:/b', /Flink knows it from 2.3 on/],
    ['1.19.1', 'kubernetes.internal-service.annotations.a', 'b', /Flink knows it from 1.20 on/],
    ['2.0.0', 'jobmanager.heap.size', '1g', /Flink knew it up to 1.20/],
    ['2.3.0', 'kubernetes.jobmanager.cpu', '1', /is deprecated: use kubernetes.jobmanager.cpu.amount/],
  ])('%s, %s: a warning', (flinkVersion, key, value, warning) => {
    expect(checkOptions(request({ [key]: value }, { flinkVersion }))).toEqual([expect.stringMatching(warning)]);
  });

  it.each([
    ['kubernetes.operator.reconcile.interval', '1m'],
    ['kubernetes.jobmanager.labels.team', 'a'],
    ['containerized.master.env.A', 'b'],
    ['my.own', 'x'],
    ['kubernetes.pod-template-file.taskmanager', '/t'],
  ])('%s is fine', (key, value) => {
    const more = { podTemplates: { taskManager: {} } };
    expect(checkOptions(request({ [key]: value }, more))).toEqual([]);
  });

  it('is told of a version that is newer than its rules', () => {
    expect(checkOptions(request({}, { flinkVersion: '2.9.0' }))).toEqual([expect.stringContaining('newer than 2.3')]);
  });
});

describe('a request that the client or the cluster would refuse', () => {
  it.each<[string, Partial<ClusterRequest>, Record<string, string>, object]>([
    ['no cluster-id', { options: {} }, {}, { reason: 'InvalidName', field: 'kubernetes.cluster-id' }],
    ['a long cluster-id', {}, { 'kubernetes.cluster-id': 'a'.repeat(46) }, { reason: 'InvalidName' }],
    ['upper case', {}, { 'kubernetes.cluster-id': 'Ab' }, { reason: 'InvalidName', message: /'Ab'/ }],
    ['a blank namespace', {}, { 'kubernetes.namespace': ' ' }, { field: 'kubernetes.namespace' }],
    ['a blank image', {}, { 'kubernetes.container.image.ref': '' }, { field: 'kubernetes.container.image.ref' }],
    ['another target', {}, { 'execution.target': 'remote' }, { field: 'execution.target' }],
    ['a range of ports', {}, { 'blob.server.port': '1-2' }, { field: 'blob.server.port', message: /'1-2'/ }],
    [
      'stand-by without high availability',
      {},
      { 'kubernetes.jobmanager.replicas': '2' },
      { message: /needs high availability/ },
    ],
    ['no JobManager', {}, { 'kubernetes.jobmanager.replicas': '0' }, { message: /1 or more/ }],
    [
      'a small factor',
      {},
      { 'kubernetes.jobmanager.memory.limit-factor': '0.9' },
      { message: /limit-factor '0.9' must be 1 or more/ },
    ],
    ['a key below another', {}, { 'high-availability': 'kubernetes' }, { field: 'high-availability' }],
    [
      'a claim without a path',
      {},
      { 'kubernetes.persistent-volume-claims': 'a:b' },
      { message: /absolute path, not 'b'/ },
    ],
    [
      'two claims at a path',
      {},
      { 'kubernetes.persistent-volume-claims': 'a:/b,c:/b' },
      { message: /as another claim/ },
    ],
    ['two claims of a volume', {}, { 'kubernetes.persistent-volume-claims': 'a.b:/b,a-b:/c' }, { message: /taken/ }],
    ['a bad claim', {}, { 'kubernetes.persistent-volume-claims': 'A:/b' }, { message: /no name of a claim/ }],
    ['a long claim', {}, { 'kubernetes.persistent-volume-claims': `${'a'.repeat(60)}:/b` }, { message: /over 63/ }],
    [
      'a toleration for words',
      {},
      { 'kubernetes.jobmanager.tolerations': 'key:a,tolerationSeconds:x' },
      { message: /'x'/ },
    ],
    [
      'a template without content',
      {},
      { 'kubernetes.pod-template-file.jobmanager': '/t' },
      { message: /'\/t': the content/ },
    ],
    ['an upload', {}, { 'kubernetes.artifacts.local-upload-enabled': 'true' }, { message: /upload it yourself/ }],
    ['a keytab', {}, { 'security.kerberos.login.keytab': '/k' }, { message: /keytabs are not uploaded/ }],
    ['two jars', { program: { jars: ['a:b', 'c:d'], args: [] } }, {}, { reason: 'InvalidSpec', message: /not 2/ }],
    [
      'a jar with a blank',
      { program: { jars: ['s3://a b'], args: [] } },
      {},
      { reason: 'InvalidSpec', field: 'jarURI' },
    ],
    ['a jar of nowhere', { program: { jars: ['a.jar'], args: [] } }, {}, { reason: 'InvalidSpec' }],
    ['a classpath that is no URL', { flags: { classpaths: ['s3://a'] } }, {}, { message: /'s3:\/\/a' is not a URL/ }],
  ])('%s', (_name, more, options, expected) => {
    const asked = { ...request(options), ...more };
    expect(() => checkOptions(asked)).toThrow();
    const { message = /./, ...others } = expected as { message?: RegExp };
    expect(failure(asked)).toMatchObject(others);
    expect(failure(asked).message).toMatch(message);
  });

  it('no program', () => {
    const without = request({});
    expect(failure({ flinkVersion: '2.3.0', mode: 'application', options: without.options })).toMatchObject({
      reason: 'InvalidSpec',
      field: 'program',
    });
  });

  it('no jar before 2.0; a Python job has none', () => {
    const program = { jars: [], args: [] };
    expect(failure(request({}, { flinkVersion: '1.20', program }))).toMatchObject({ field: 'pipeline.jars' });
    expect(() => buildCluster(request({}, { flinkVersion: '2.1', program }))).not.toThrow();
    expect(() =>
      buildCluster(request({}, { flinkVersion: '1.20', program: { jars: [], args: ['-py', 'a.py'] } })),
    ).not.toThrow();
  });
});

describe('keys that flink run writes', () => {
  const keys = { 'execution.attached': 'false', 'execution.state-recovery.ignore-unclaimed-state': 'true' };

  it('win over options on a command line', () => {
    expect(buildCluster(request(keys, { flags: {} })).configuration).toMatchObject({
      'execution.attached': true,
      'execution.state-recovery.ignore-unclaimed-state': false,
    });
  });

  it('are defaults for a caller without flags', () => {
    expect(buildCluster(request(keys)).configuration).toMatchObject({
      ...keys,
      'execution.state-recovery.claim-mode': 'NO_CLAIM',
    });
    const older = buildCluster(request({ 'execution.savepoint.ignore-unclaimed-state': 'true' })).configuration;
    expect(older).not.toHaveProperty(['execution.state-recovery.ignore-unclaimed-state']);
  });

  it('have their older names in 1.19', () => {
    const flags = { savepointPath: 's3://a', allowNonRestoredState: true, claimMode: 'CLAIM' as const };
    expect(buildCluster(request({}, { flinkVersion: '1.19.1', flags })).configuration).toMatchObject({
      'execution.savepoint.path': 's3://a',
      'execution.savepoint.ignore-unclaimed-state': true,
      'execution.savepoint-restore-mode': 'CLAIM',
      'pipeline.classpaths': [],
    });
  });
});

it("puts marks on the Deployment alone, over annotations and under Flink's labels", () => {
  const marks = { labels: { owner: 'us', app: 'us' }, annotations: { run: '1' } };
  const { deployment, dependents: dependents } = buildCluster(
    request({ 'kubernetes.jobmanager.annotations': 'run:x,a:b' }, { marks }),
  );
  expect(deployment.metadata).toMatchObject({ labels: { owner: 'us', app: 'c' }, annotations: { run: '1', a: 'b' } });
  expect(JSON.stringify([deployment.spec, dependents])).not.toContain('"us"');
});

it('brings logging and what Java needs when there is no conf folder', () => {
  const { dependents: dependents, configuration } = buildCluster(request({}, { flinkVersion: '1.19.1' }));
  expect(Object.keys((dependents.at(-1) as { data?: object }).data ?? {}).sort()).toEqual([
    'config.yaml',
    'log4j-console.properties',
    'logback-console.xml',
  ]);
  expect(configuration['env.java.opts.all']).toContain('--add-opens=java.base/java.util=ALL-UNNAMED');
});

function failure(asked: ClusterRequest): Error {
  try {
    buildCluster(asked);
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was refused');
}
