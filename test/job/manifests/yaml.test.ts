import * as client from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseObjectText } from '../../../lib/core/yaml.ts';
import { loadConfiguration } from '../../../lib/flink/config/files.ts';
import { option } from '../../../lib/flink/options/option.ts';
import { BOOLEAN_FIELDS, NUMBER_FIELDS, TEXT_FIELDS, TEXT_MAPS } from '../../../lib/flink/native/pod-model.ts';
import { readPodTemplate } from '../../../lib/flink/native/pod-template.ts';
import { FlinkConfiguration } from '../../../lib/flink/config/configuration.ts';
import { flattenOptions } from '../../../lib/job/spec/flatten.ts';
import { DEPLOYMENT, take } from './taken.ts';

const one = (text: string): unknown => parseObjectText(`a: ${text}`, 'it')['a'];

describe('numbers of YAML', () => {
  it.each<[string, unknown]>([
    ['0400', 256],
    ['0755', 493],
    ['-010', -8],
    ['0o400', 256],
    ['0x1F', 31],
    ['00', 0],
    ['0', 0],
    ['09', 9],
    ['08.5', 8.5],
    ['"0400"', '0400'],
    ['1e3', 1000],
    ['yes', 'yes'],
  ])('%s', (text, value) => {
    expect(one(text)).toBe(value);
  });
});

describe('documents of YAML', () => {
  it.each(['---\n---\na: 1\n', 'a: 1\n---\n', '# nothing\n---\na: 1\n---\n# nothing\n...\n', '\uFEFFa: 1', 'a: 1\r\n'])(
    '%j holds one',
    (text) => {
      expect(parseObjectText(text, 'it')).toEqual({ a: 1 });
    },
  );

  it.each([
    ['', 'it must be a JSON or YAML object, not nothing'],
    ['---\n# only a comment', 'it must be a JSON or YAML object, not nothing'],
    ['a: 1\n---\nb: 2\n---\nc: 3', 'it holds 3 YAML documents, and a request is one: send each of them by itself'],
  ])('%j is refused', (text, message) => {
    expect(() => parseObjectText(text, 'it')).toThrow(message);
  });
});

describe('merge keys', () => {
  it.each([
    'flinkConfiguration: { <<: { a: 1 } }',
    'x: &x { a: 1 }\njob: { <<: *x }',
    '<<: { a: 1 }',
    'podTemplate: { spec: { containers: [{ <<: { name: a } }] } }',
    '{"flinkConfiguration": {"<<": {"a": 1}}}',
  ])('are refused in %j', (text) => {
    expect(() => parseObjectText(text, 'it')).toThrow(
      /the merge key << .* is not supported: write the merged keys out/,
    );
  });

  it('are refused in config.yaml and in pod templates', () => {
    expect(() => loadConfiguration({ 'config.yaml': 'a: &a { b: 1 }\nc: { <<: *a }' }, '2.3')).toThrow(/no merge keys/);
    const text = 'spec:\n  containers:\n    - &c { name: a }\n    - { <<: *c, image: x }\n';
    expect(() => readPodTemplate(text, 'kubernetes.pod-template-file')).toThrow(/merge key << in spec\.containers\.1/);
  });
});

describe('lists of options', () => {
  const roundTrip = (items: unknown[]) => {
    const text = flattenOptions({ list: items })['list'] ?? '';
    return new FlinkConfiguration(true, [['list', text]]).getOptional(option.list('list'));
  };

  it.each([
    [['a', 'b']],
    [['a;b', "'q"]],
    [['a;b']],
    [['[x]']],
    [['- x', 'y']],
    [['"', ' padded ']],
    [["name:a,path:'s3://b/x;v1'", 'name:b,path:s3://b/y']],
    [['', 'x']],
    [['{a: b}', "it's"]],
    [['line\nbreak', 'x']],
  ])('%j comes back as it was', (items) => {
    expect(roundTrip(items)).toEqual(items);
  });

  it('are written in the short form where that is plain', () => {
    expect(flattenOptions({ list: ['a', 1, true] })['list']).toBe('a;1;true');
  });

  it('may hold maps', () => {
    const tolerations = [{ key: 'gpu', operator: 'Equal', value: 'a;b' }, { operator: 'Exists' }];
    const options = flattenOptions({
      'kubernetes.jobmanager.tolerations': tolerations,
      'pipeline.serialization-config': [{ 'org.example.Order': { type: 'kryo' } }],
    });
    const read = new FlinkConfiguration(true, Object.entries(options));
    const maps = read.getOptional(option.mapList('kubernetes.jobmanager.tolerations')) ?? [];
    expect(maps.map((map) => Object.fromEntries(map.entries()))).toEqual(tolerations);
    expect(read.getOptional(option.list('pipeline.serialization-config'))).toEqual([
      '{org.example.Order: {type: kryo}}',
    ]);
  });

  it('may not hold nothing', () => {
    expect(() => flattenOptions({ list: ['a', null] })).toThrow(/must be text, a number, true or false/);
    expect(() => flattenOptions({ list: [{ a: null }] })).toThrow(/must be text/);
  });
});

type Model = { getAttributeTypeMap?: () => { baseName: string; type: string }[] };

/** Fields of the pod template in the Kubernetes client's model, by their types. */
function modelFields(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    const model = (client as unknown as Record<string, Model | undefined>)[name];
    if (seen.has(name) || model?.getAttributeTypeMap === undefined) return;
    seen.add(name);
    for (const { baseName, type } of model.getAttributeTypeMap()) {
      const inner = /^Array<(.*)>$/.exec(type)?.[1] ?? type;
      found.set(inner, (found.get(inner) ?? new Set()).add(baseName));
      visit(inner);
    }
  };
  visit('V1PodTemplateSpec');
  return found;
}

describe("a pod template's scalars", () => {
  it("are told apart by Kubernetes' own model", () => {
    const fields = modelFields();
    const sorted = (names: Iterable<string> = []) => [...names].sort();
    expect(sorted(TEXT_FIELDS)).toEqual(sorted(fields.get('string')));
    // `port` may be a name too, and the numbers of exit codes share the name `values`
    expect(sorted([...NUMBER_FIELDS, 'port', 'values'])).toEqual(sorted(fields.get('number')));
    expect(sorted(BOOLEAN_FIELDS)).toEqual(sorted(fields.get('boolean')));
    expect(sorted(TEXT_MAPS)).toEqual(sorted(fields.get('{ [key: string]: string; }')));
  });

  const spec = `
      priorityClassName: 100
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms: [{ matchExpressions: [{ key: gpu, operator: In, values: [true, 8] }] }]
      hostAliases: [{ ip: 10.0.0.1, hostnames: [kafka-0, 7] }]
      tolerations: [{ key: dedicated, operator: Equal, value: true, tolerationSeconds: "30" }]
      terminationGracePeriodSeconds: "60"
      containers:
        - name: flink-main-container
          env: [{ name: DEBUG, value: true }, { name: N, value: 5 }]
          volumeMounts: [{ name: v, mountPath: /data, subPath: 2024, readOnly: yes }]
          ports: [{ name: jmx, containerPort: "9999" }]
          livenessProbe: { httpGet: { port: 8081, httpHeaders: [{ name: X, value: 1 }] }, periodSeconds: "5" }
      volumes:
        - { name: v, emptyDir: { sizeLimit: 1024 } }
        - { name: nfs, nfs: { server: 10.1, path: /x } }
        - { name: key, secret: { secretName: k, defaultMode: 0400, items: [{ key: a, path: a, mode: 0440 }] } }
        - { name: conf, configMap: { name: c, defaultMode: 0755 } }
`;
  const expected = {
    priorityClassName: '100',
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'gpu', operator: 'In', values: ['true', '8'] }] }],
        },
      },
    },
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['kafka-0', '7'] }],
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'true', tolerationSeconds: 30 }],
    terminationGracePeriodSeconds: 60,
  };

  it.each(['a manifest', 'a file'])('of %s are those of the model', async (from) => {
    let pod: unknown;
    if (from === 'a file') pod = readPodTemplate(`spec:${spec}`, 'kubernetes.pod-template-file').spec;
    else {
      const { cluster } = await take(
        `name: orders\npodTemplate:\n  metadata: { labels: { team: 42, canary: true } }\n    \n  spec:${spec.replaceAll('\n      ', '\n    ')}\njob: { jarURI: "local:///job.jar" }`,
      );
      pod = cluster?.deployment.spec?.template.spec;
      expect(cluster?.deployment.spec?.template.metadata?.labels).toMatchObject({ team: '42', canary: 'true' });
    }
    expect(pod).toMatchObject(expected);
    const text = JSON.stringify(pod);
    for (const part of [
      '"defaultMode":256',
      '"defaultMode":493',
      '"mode":288',
      '"containerPort":9999',
      '"server":"10.1"',
    ])
      expect(text).toContain(part);
    for (const part of [
      '"subPath":"2024"',
      '"readOnly":true',
      '"sizeLimit":"1024"',
      '"periodSeconds":5',
      '"port":8081',
    ])
      expect(text).toContain(part);
  });

  it.each([
    ['securityContext: { runAsUser: "0" }', /runAsUser/],
    ['securityContext: { runAsNonRoot: "no" }', /runAsNonRoot/],
    ['hostNetwork: yes', /hostNetwork/],
  ])('are judged as they will be read: %s', async (field, message) => {
    const restricted = { ...DEPLOYMENT, allow: { ...DEPLOYMENT.allow, podTemplates: 'restricted' as const } };
    const text = `name: a\npodTemplate: { spec: { ${field} } }\njob: { jarURI: "local:///job.jar" }`;
    await expect(take(text, restricted)).rejects.toThrow(message);
  });
});
