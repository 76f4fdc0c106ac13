import { readFileSync } from 'node:fs';
import type { V1Container } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseObjectText } from '../../lib/core/yaml.ts';
import { FlinkConfiguration } from '../../lib/flink/config/configuration.ts';
import { readPodTemplate } from '../../lib/flink/native/pod-template.ts';
import { option } from '../../lib/flink/options/option.ts';
import { DEPLOYMENT, take } from '../job/manifests/taken.ts';

function input(name: string): string {
  return readFileSync(new URL(`../fixtures/cases/${name}`, import.meta.url), 'utf8');
}

async function podOf(name: string) {
  const { cluster } = await take(input(name));
  const spec = cluster?.deployment.spec?.template.spec;
  if (spec === undefined) throw new Error('no pod');
  return spec;
}

describe('old-keys-prefix', () => {
  it.each([
    ['restart-strategy', { 'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.attempts': '10' }],
    ['state-backend', { 'state.backend.type': 'rocksdb', 'state.backend.incremental': 'true' }],
    ['ha', { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://my-bucket/ha' }],
    [
      'checkpoint',
      {
        'execution.checkpointing.unaligned.enabled': 'true',
        'execution.checkpointing.unaligned.forced': 'true',
      },
    ],
  ])('%s-prefix.yaml is taken, each key under its name of today', async (name, options) => {
    const { cluster } = await take(input(`old-keys-prefix/${name}-prefix.yaml`));
    expect(cluster?.configuration).toMatchObject(options);
  });
});

describe('merge-by-name', () => {
  it('keeps the log-shipper, and gives the main container both variables', async () => {
    const { containers } = await podOf('merge-by-name/input.yaml');
    const [main, shipper] = ['flink-main-container', 'log-shipper'].map((name) =>
      containers.find((one) => one.name === name),
    );
    expect(shipper).toMatchObject({ image: 'fluent/fluent-bit:3.1', args: ['-c', '/conf/fb.conf'] });
    expect(main?.env).toEqual(
      expect.arrayContaining([
        { name: 'A', value: 'common' },
        { name: 'B', value: 'jm' },
      ]),
    );
    expect(containers).toHaveLength(2);
  });
});

describe('merge-keys', () => {
  it('is refused, as documented', () => {
    expect(() => parseObjectText(input('merge-keys/input.yaml'), 'the message')).toThrow(
      /merge key << in flinkConfiguration is not supported: write the merged keys out/,
    );
  });
});

describe('octal-mode', () => {
  it('0400 is 256 and 0755 is 493 in a manifest', async () => {
    const { volumes = [] } = await podOf('octal-mode/input.yaml');
    expect(volumes).toEqual(
      expect.arrayContaining([
        { name: 'ssh', secret: { secretName: 'deploy-key', defaultMode: 256 } },
        { name: 'conf', configMap: { name: 'c', defaultMode: 493 } },
      ]),
    );
  });

  it('and in a file of kubernetes.pod-template-file', () => {
    const { spec } = readPodTemplate(input('octal-mode/pt.yaml'), 'kubernetes.pod-template-file');
    expect(spec?.volumes).toMatchObject([
      { secret: { defaultMode: 256, items: [{ mode: 288 }] } },
      { configMap: { defaultMode: 493 } },
      { projected: { defaultMode: 256 } },
    ]);
  });
});

describe('pod-scalars', () => {
  it('are text where the pod has text, and a number where it has one', async () => {
    const pod = await podOf('pod-scalars/input.yaml');
    const main: V1Container | undefined = pod.containers.find(({ name }) => name === 'flink-main-container');
    const terms = pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
    expect(pod.priorityClassName).toBe('100');
    expect(terms?.[0]?.matchExpressions?.[0]?.values).toEqual(['true', '8']);
    expect(pod.hostAliases?.[0]?.hostnames).toEqual(['kafka-0', '7']);
    expect(pod.tolerations).toEqual([{ key: 'dedicated', operator: 'Equal', value: 'true', effect: 'NoSchedule' }]);
    expect(main?.volumeMounts).toContainEqual({ name: 'v', mountPath: '/data', subPath: '2024' });
    expect(main?.ports).toContainEqual({ name: 'jmx', containerPort: 9999 });
    expect(pod.volumes).toContainEqual({ name: 'nfs', nfs: { server: '10.1', path: '/x' } });
  });
});

describe('list-option', () => {
  const allow = {
    ...DEPLOYMENT.allow,
    options: { ...DEPLOYMENT.allow.options, allow: ['pipeline.*', 'classloader.*'] },
  };
  const listOf = async (yaml: string, key: string): Promise<readonly string[] | undefined> => {
    const head =
      'name: wc\nimage: flink:2.3.0\nflinkVersion: v2_3\njob: { jarURI: "local:///opt/flink/usrlib/job.jar" }';
    const { job } = await take(`${head}\nflinkConfiguration:\n${yaml}`, { ...DEPLOYMENT, allow });
    return new FlinkConfiguration(true, Object.entries(job.options)).getOptional(option.list(key));
  };

  it.each([
    [
      'classloader.parent-first-patterns.additional',
      '  classloader.parent-first-patterns.additional: ["a;b", "\'q"]\n',
      ['a;b', "'q"],
    ],
    [
      'pipeline.cached-files',
      '  pipeline.cached-files:\n    - "name:a,path:\'s3://b/x;v1\'"\n    - "name:b,path:s3://b/y"\n',
      ["name:a,path:'s3://b/x;v1'", 'name:b,path:s3://b/y'],
    ],
    [
      'pipeline.serialization-config',
      '  pipeline.serialization-config: [{ org.example.Order: { type: kryo } }]\n',
      ['{org.example.Order: {type: kryo}}'],
    ],
  ])('%s has the items of its author', async (key, yaml, items) => {
    expect(await listOf(yaml, key)).toEqual(items);
  });
});
