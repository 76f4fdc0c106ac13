import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseClusterId, sha256Hex } from '../../lib/core/ids.ts';
import { bundleDelivery, type BundleConfig, type BundleDeps } from '../../lib/delivery/bundle.ts';
import type { Remembered } from '../../lib/delivery/bundle-memory.ts';
import { parseDispatchConfig } from '../../lib/job/config/dispatch-config.ts';
import type { Jar, PinnedJar, ResolvedJob } from '../../lib/job/job.ts';
import { FakeRegistry } from '../fakes/registry-server.ts';
import { baseImage, clientFor, inPieces, open, pushBase } from '../registry/support/images.ts';

const REF = { namespace: 'flink', clusterId: parseClusterId('job-1') };
const LIST = 'user.artifacts.artifact-list';
const contents = new Map<string, Buffer>();
const fake = new FakeRegistry();
let memory: Map<string, Remembered>;

beforeEach(async () => {
  memory = new Map();
  contents.clear();
  fake.fault = undefined;
  fake.repositories.clear();
  await fake.start();
  await pushBase(clientFor(open(fake.host)), fake.host, 'flink', baseImage({ index: true }));
  fake.seen.length = 0;
});
afterEach(() => fake.stop());

/** Kept under the key of its content, as lib/job/jar/s3-pins.ts does it. */
function pinned(name: string, text: string): PinnedJar {
  const sha256 = sha256Hex(text);
  const key = `jars/sha256/${sha256}/${name}`;
  contents.set(key, Buffer.from(text));
  return { bucket: 'ledger', key, sha256, size: Buffer.byteLength(text) };
}

function depsOf(more: Partial<BundleDeps> = {}): BundleDeps {
  return {
    registry: () => clientFor(open(fake.host)),
    read: ({ key }) => inPieces(contents.get(key) ?? Buffer.alloc(0)),
    pin: (jar) => Promise.resolve({ ...jar, pinned: pinned(jar.uri.split('/').at(-1) ?? '', jar.uri) }),
    memory: {
      read: (kind, key) => Promise.resolve(memory.get(kind + key)),
      write: (kind, key, made) => Promise.resolve(void memory.set(kind + key, made)),
    },
    ...more,
  };
}

const jobOf = (jar: Jar, options: Readonly<Record<string, string>> = {}): ResolvedJob =>
  ({
    jar,
    options: { 'kubernetes.container.image.ref': `${fake.host}/flink:base`, ...options },
  }) as unknown as ResolvedJob;
const jarOf = (text: string): Jar => ({ uri: 's3://jars-a/job.jar', pinned: pinned('job.jar', text) });
const deliver = (
  job: ResolvedJob,
  config: Partial<BundleConfig> = {},
  deps = depsOf(),
): ReturnType<ReturnType<typeof bundleDelivery>> =>
  bundleDelivery({ kind: 'bundle', repository: `${fake.host}/jobs`, files: [], ...config }, deps)(job, REF);

describe('a bundled jar', () => {
  it('is a file of an image that is named by its digest', async () => {
    const { jarUri, image, options } = await deliver(jobOf(jarOf('jar')));
    expect(jarUri).toBe('local:///opt/flink/usrlib/job.jar');
    expect(image).toMatch(new RegExp(`^${fake.host}/jobs@sha256:[0-9a-f]{64}$`));
    expect(options).toEqual({});
  });

  it('is sent once: the second run asks for the base and for the image alone', async () => {
    const { image } = await deliver(jobOf(jarOf('jar')));
    const from = fake.seen.length;
    expect((await deliver(jobOf(jarOf('jar')))).image).toBe(image);
    expect(fake.calls(from)).toEqual([
      'HEAD /v2/flink/manifests/base',
      `HEAD /v2/jobs/manifests/${image?.split('@')[1] ?? ''}`,
    ]);
  });

  it('is sent once for all images that it is added to', async () => {
    const first = await deliver(jobOf(jarOf('jar')));
    await pushBase(
      clientFor(open(fake.host)),
      fake.host,
      'flink',
      baseImage({ index: true, env: ['FLINK_HOME=/opt/flink', 'A=1'] }),
    );
    const from = fake.seen.length;
    expect((await deliver(jobOf(jarOf('jar')))).image).not.toBe(first.image);
    expect(fake.calls(from).filter((call) => call.startsWith('PATCH'))).toEqual([]);
  });

  it('is another image when it has other bytes', async () => {
    const one = await deliver(jobOf(jarOf('one')));
    expect((await deliver(jobOf(jarOf('two')))).image).not.toBe(one.image);
  });

  it('is the same image when all memory is lost, and made again when the image is', async () => {
    const { image } = await deliver(jobOf(jarOf('jar')));
    memory.clear();
    expect((await deliver(jobOf(jarOf('jar')))).image).toBe(image);
    fake.repositories.delete('jobs');
    expect((await deliver(jobOf(jarOf('jar')))).image).toBe(image);
    expect(fake.repository('jobs').manifests.has(image?.split('@')[1] ?? '')).toBe(true);
  });

  it('takes the job’s and the target’s files along', async () => {
    const artifacts = 's3://jars-b/deep/udf.jar; https://repo.example/other.jar';
    const { options } = await deliver(jobOf(jarOf('jar'), { [LIST]: artifacts }), {
      files: [{ from: 's3://platform/kafka.jar', to: 'lib/kafka.jar' }],
    });
    expect(options).toEqual({ [LIST]: 'local:///opt/flink/usrlib/udf.jar;https://repo.example/other.jar' });
    const layers = [...fake.repository('jobs').blobs.values()].map((blob) => blob.toString('latin1'));
    const [layer] = layers.filter((text) => text.includes('usrlib/job.jar'));
    expect(layer).toContain('opt/flink/lib/kafka.jar');
    expect(layer).toContain('opt/flink/usrlib/udf.jar');
  });

  it('of the image needs no registry', async () => {
    const uri = 'local:///opt/flink/usrlib/own.jar';
    expect(await deliver(jobOf({ uri }))).toEqual({ jarUri: uri });
    expect(fake.seen).toEqual([]);
  });
});

describe('what is refused, with nothing sent', () => {
  it.each([
    [
      'a jar of a web server',
      jobOf.bind(undefined, { uri: 'https://repo.example/x.jar' }),
      'InvalidSpec',
      'job.jarURI',
    ],
    [
      'a dependency that is no object',
      () => jobOf(jarOf('jar'), { [LIST]: 's3://other' }),
      'InvalidSpec',
      `flinkConfiguration["${LIST}"]`,
    ],
    [
      'an image that is not there',
      () => jobOf(jarOf('jar'), { 'kubernetes.container.image.ref': `${fake.host}/flink:none` }),
      'ImageNotFound',
      'image',
    ],
    [
      'an image of a registry that the deployment does not name',
      () => jobOf(jarOf('jar'), { 'kubernetes.container.image.ref': 'docker.io/flink:2.3.0' }),
      'NotAllowed',
      'image',
    ],
  ])('%s', async (_, job, reason, field) => {
    await expect(deliver(job())).rejects.toMatchObject({ reason, field });
    expect(fake.sent()).toBe(0);
  });

  it('an image without Flink', async () => {
    await pushBase(clientFor(open(fake.host)), fake.host, 'flink', baseImage({ env: ['PATH=/bin'] }));
    const from = fake.seen.length;
    await expect(deliver(jobOf(jarOf('jar')))).rejects.toMatchObject({ reason: 'ImageUnsuitable', field: 'image' });
    expect(fake.sent(from)).toBe(0);
  });

  it('two files at one place', async () => {
    const files = [{ from: 's3://platform/x.jar', to: 'usrlib/job.jar' }];
    await expect(deliver(jobOf(jarOf('jar')), { files })).rejects.toMatchObject({ reason: 'InvalidSpec' });
  });

  it('bytes that are not those that were pinned', async () => {
    const jar = jarOf('jar');
    contents.set(jar.pinned?.key ?? '', Buffer.from('bad'));
    await expect(deliver(jobOf(jar))).rejects.toMatchObject({ reason: 'StorageUnavailable' });
    expect(fake.calls().filter((call) => call.startsWith('PUT'))).toEqual([]);
  });
});

describe('the configuration', () => {
  const parse = (jarDelivery: object, registries: object = {}): unknown =>
    parseDispatchConfig(
      JSON.stringify({
        targets: { default: { namespace: 'flink', access: { kind: 'in-cluster' }, jarDelivery } },
        registries,
      }),
    );
  const ECR = '123456789012.dkr.ecr.us-east-1.amazonaws.com';
  it('takes a repository and its registry', () => {
    const files = [{ from: 's3://platform/kafka.jar', to: 'lib/kafka.jar' }];
    const bundle = { kind: 'bundle', repository: `${ECR}/team/flink-jobs`, platforms: ['linux/arm64'], files };
    expect(parse(bundle, { [ECR]: { auth: { kind: 'ecr' } }, 'docker.io': {} })).toMatchObject({
      registries: { 'docker.io': { auth: { kind: 'none' }, insecure: false } },
    });
  });
  it.each([
    [{ kind: 'bundle', repository: 'flink-jobs' }, 'repository'],
    [{ kind: 'bundle', repository: `${ECR}/jobs:tag` }, 'repository'],
    [{ kind: 'bundle', repository: `https://${ECR}/jobs` }, 'repository'],
    [{ kind: 'bundle', repository: `${ECR}/jobs`, platforms: ['windows/amd64'] }, 'platforms[0]'],
    [
      { kind: 'bundle', repository: `${ECR}/jobs`, files: [{ from: 's3://a/b', to: '../../etc/passwd' }] },
      'files[0].to',
    ],
    [{ kind: 'bundle', repository: `${ECR}/jobs`, files: [{ from: '/etc/passwd', to: 'lib/x' }] }, 'files[0].from'],
  ])('refuses %j', (jarDelivery, field) => {
    expect(() => parse(jarDelivery)).toThrow(
      expect.objectContaining({ reason: 'InvalidConfiguration', field: `targets.default.jarDelivery.${field}` }),
    );
  });
});
