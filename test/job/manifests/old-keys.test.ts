import { describe, expect, it } from 'vitest';
import { namesOf, successorOf, withNewNames } from '../../../lib/flink/config/old-names.ts';
import { checkPrefixes } from '../../../lib/flink/config/files.ts';
import { mergeLayers } from '../../../lib/job/spec/layers.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { DEPLOYMENT, take } from './taken.ts';

const manifest = (version: string, options: Record<string, string>): string =>
  JSON.stringify({
    apiVersion: 'flink.apache.org/v1beta1',
    kind: 'FlinkDeployment',
    metadata: { name: 'orders' },
    spec: {
      image: `flink:${version}`,
      flinkVersion: version,
      flinkConfiguration: options,
      job: { jarURI: 'local:///opt/flink/usrlib/job.jar', parallelism: 2 },
    },
  });

const HA = { 'high-availability': 'kubernetes', 'high-availability.storageDir': 's3://b/ha' };

const CASES: readonly [string, Record<string, string>, Record<string, string>][] = [
  [
    'restart strategy',
    { 'restart-strategy': 'fixed-delay', 'restart-strategy.fixed-delay.attempts': '10' },
    { 'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.attempts': '10' },
  ],
  [
    'state backend',
    { 'state.backend': 'rocksdb', 'state.backend.incremental': 'true' },
    { 'state.backend.type': 'rocksdb', 'state.backend.incremental': 'true' },
  ],
  ['high availability', HA, { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://b/ha' }],
  [
    'unaligned checkpoints',
    { 'execution.checkpointing.unaligned': 'true', 'execution.checkpointing.unaligned.forced': 'true' },
    { 'execution.checkpointing.unaligned.enabled': 'true', 'execution.checkpointing.unaligned.forced': 'true' },
  ],
  [
    'cleanup strategy',
    { 'cleanup-strategy': 'fixed-delay', 'cleanup-strategy.fixed-delay.attempts': '3' },
    { 'cleanup-strategy.type': 'fixed-delay', 'cleanup-strategy.fixed-delay.attempts': '3' },
  ],
  [
    'operator chaining',
    {
      'pipeline.operator-chaining': 'false',
      'pipeline.operator-chaining.chain-operators-with-different-max-parallelism': 'false',
    },
    {
      'pipeline.operator-chaining.enabled': 'false',
      'pipeline.operator-chaining.chain-operators-with-different-max-parallelism': 'false',
    },
  ],
  [
    'buffer timeout',
    { 'execution.buffer-timeout': '10 ms', 'execution.buffer-timeout.enabled': 'true' },
    { 'execution.buffer-timeout.interval': '10 ms', 'execution.buffer-timeout.enabled': 'true' },
  ],
  [
    'scopes of metrics, where the longer key is the old one',
    { 'metrics.scope.jm': 'a.<host>', 'metrics.scope.jm.job': 'b.<host>' },
    { 'metrics.scope.jm': 'a.<host>', 'metrics.scope.jm-job': 'b.<host>' },
  ],
  [
    "Hadoop's endpoint and its region",
    { 's3.endpoint': 'http://minio', 's3.endpoint.region': 'eu-central-1' },
    { 's3.endpoint': 'http://minio', 's3a.endpoint.region': 'eu-central-1' },
  ],
];

describe('old keys', () => {
  it.each(CASES.flatMap(([what, given, kept]) => ['1.19', '1.20', '2.3'].map((v) => [what, v, given, kept] as const)))(
    '%s, Flink %s',
    async (_what, version, given, kept) => {
      const { job, cluster } = await take(manifest(version, given));
      expect(job.options).toMatchObject(kept);
      expect(cluster?.configuration).toMatchObject(kept);
      const renamed = Object.keys(given).filter((key) => !(key in kept));
      for (const key of renamed) expect(job.options).not.toHaveProperty([key]);
    },
  );

  it('makes the cluster highly available, by the old name as by the new one', async () => {
    const { job } = await take(manifest('1.20', HA));
    const newer = await take(
      manifest('1.20', { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://b/ha' }),
    );
    expect(job).toEqual(newer.job);
  });

  it('lets the higher layer win, whichever name it uses', () => {
    const layers = (...options: Record<string, string>[]) =>
      mergeLayers(options.map((flinkConfiguration) => ({ flinkConfiguration }))).flinkConfiguration;
    expect(layers({ 'state.backend.type': 'rocksdb' }, { 'state.backend': 'hashmap' })).toEqual({
      'state.backend': 'hashmap',
    });
    expect(layers({ 'state.backend': 'rocksdb' }, { 'state.backend.type': 'hashmap' })).toEqual({
      'state.backend.type': 'hashmap',
    });
    expect(layers({ 's3.endpoint': 'a' }, { 'fs.s3a.endpoint': 'b' })).toEqual({ 'fs.s3a.endpoint': 'b' });
  });

  it('takes the newer name where one layer gives both, as Flink does', () => {
    expect(withNewNames({ 'state.backend': 'a', 'state.backend.type': 'b' })).toEqual({ 'state.backend.type': 'b' });
  });

  it('leaves no old key above another', () => {
    for (const key of ['high-availability', 'state.backend', 'env.java.opts', 'kubernetes.container.image']) {
      expect(successorOf(key)).toBeDefined();
      expect(namesOf(key)).toContain(key);
      expect(() => checkPrefixes(Object.keys(withNewNames({ [key]: 'x', [`${key}.more`]: 'y' })))).not.toThrow();
    }
  });

  it('names the successor, and nothing that its author did not write, where a client gives an old key', () => {
    expect(() => checkPrefixes(['high-availability', 'high-availability.cluster-id'])).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('cluster-id') as string }),
    );
    expect(() => checkPrefixes(['high-availability', 'high-availability.cluster-id'])).toThrow(
      /write 'high-availability.type' instead/,
    );
  });

  it('is held to the allow-list under either name', async () => {
    await expect(take(manifest('2.3', { 'env.java.opts': '-Dx=y' }))).rejects.toMatchObject({
      reason: 'NotAllowed',
      field: 'flinkConfiguration["env.java.opts"]',
    });
    const options = { allow: ['*'], deny: ['state.backend.type'] };
    const strict = { ...DEPLOYMENT, allow: { ...DEPLOYMENT.allow, options } };
    await expect(take(manifest('2.3', { 'state.backend': 'rocksdb' }), strict)).rejects.toMatchObject({
      field: 'flinkConfiguration["state.backend"]',
    });
    const secret = { 's3.a': 'x', 's3.a.secret-key': 'y' };
    await expect(take(manifest('2.3', secret))).rejects.toMatchObject({ reason: 'NotAllowed' });
  });

  it.each([
    ['2.3', 'env.java.opts'],
    ['1.20', 'env.java.opts'],
    ['1.19', 'env.java.opts.all'],
  ])('keeps what Flink %s needs of Java 17 beside %s', async (version, key) => {
    const allow = { ...DEPLOYMENT.allow, options: { ...DEPLOYMENT.allow.options, allow: ['env.*'] } };
    const { cluster } = await take(manifest(version, { [key]: '-Dx=y' }), { ...DEPLOYMENT, allow });
    expect(cluster?.configuration).toMatchObject({
      'env.java.opts.all': '-Dx=y',
      'env.java.default-opts.all': expect.stringContaining('--add-opens=java.base/java.util=ALL-UNNAMED') as string,
    });
  });

  it('is no new right: what the deployment gives stays given', async () => {
    const text = `
targets: { default: { namespace: flink, access: { kind: in-cluster } } }
defaults: { image: 'flink:1.20', flinkVersion: v1_20, flinkConfiguration: { env.java.opts: -Dx=y, state.backend: rocksdb } }
allow: { jarUriSchemes: [local] }
`;
    const { job } = await take('job: { jarURI: "local:///a.jar" }\nname: a', parseDispatchConfig(text));
    expect(job.options).toMatchObject({ 'env.java.opts.all': '-Dx=y', 'state.backend.type': 'rocksdb' });
  });
});
