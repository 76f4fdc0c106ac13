import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseObjectText } from '../../../lib/core/yaml.ts';
import { parseDuration } from '../../../lib/core/duration.ts';
import { parseManifestOrSpec } from '../../../lib/job/spec/manifest.ts';
import { isJobName, nameFromKey } from '../../../lib/job/spec/name.ts';
import { matchesGlob } from '../../../lib/job/policy/glob.ts';

/** Any but surrogates. fast-check's own `binary` first makes a table of them all, which takes a second. */
const CHARACTER = fc
  .oneof(fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code));

function parse(text: string) {
  return parseManifestOrSpec(parseObjectText(text, 'the test'));
}

const MANIFEST = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata:
  name: state-machine
  namespace: flink
  labels: { team: a }
spec:
  image: flink:1.20
  imagePullPolicy: IfNotPresent
  flinkVersion: v1_20
  mode: native
  restartNonce: 3
  flinkConfiguration:
    taskmanager.numberOfTaskSlots: "2"
    state.checkpoints: { dir: s3://state/cp, num-retained: 3 }
  serviceAccount: flink
  podTemplate:
    apiVersion: v1
    kind: Pod
    spec:
      containers:
        - name: flink-main-container
          env: [{ name: A, value: b }]
  jobManager: { resource: { memory: "2048m", cpu: 1 }, replicas: 1 }
  taskManager: { resource: { memory: 2Gi, cpu: 500m } }
  job:
    jarURI: local:///opt/flink/examples/streaming/StateMachineExample.jar
    parallelism: 2
    upgradeMode: stateless
    state: running
status: { lifecycleState: STABLE }
`;

describe('sizes of storage', () => {
  it.each([
    [
      '{ taskManager: { resource: { ephemeralStorage: 100m } } }',
      'taskManager.resource.ephemeralStorage',
      /0\.1 bytes.*Write 100Mi/,
    ],
    ['{ jobManager: { resource: { ephemeralStorage: 512 } } }', 'jobManager.resource.ephemeralStorage', /at least 1Mi/],
    [
      '{ taskManager: { resources: { limits: { ephemeral-storage: 2m } } } }',
      'taskManager.resources.limits.ephemeral-storage',
      /Write 2Mi/,
    ],
  ])('are said to be too small: %s', (text, field, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ field, message: expect.stringMatching(message) as string }),
    );
  });

  it.each(['100M', '1Gi', '1048576'])('are taken from 1Mi: %s', (size) => {
    const spec = parse(`{ taskManager: { resource: { ephemeralStorage: ${size} } } }`);
    expect(spec).toMatchObject({ taskManager: { resource: { ephemeralStorage: size } } });
  });
});

describe('parseManifestOrSpec', () => {
  it('takes a FlinkDeployment as it is', () => {
    expect(parse(MANIFEST)).toMatchObject({
      name: 'state-machine',
      namespace: 'flink',
      flinkVersion: '1.20',
      flinkConfiguration: {
        'taskmanager.numberOfTaskSlots': '2',
        'state.checkpoints.dir': 's3://state/cp',
        'state.checkpoints.num-retained': '3',
      },
      podTemplate: { spec: { containers: [{ name: 'flink-main-container' }] } },
      taskManager: { resource: { memory: '2147483648b', cpu: 0.5 } },
    });
  });

  it.each(['v1_20', "'1.20'", '1.20.3', 'v1.20'])('reads the version %s', (version) => {
    expect(parse(`flinkVersion: ${version}`).flinkVersion).toBe('1.20');
  });

  it.each([
    ['jobb: {}', 'jobb', 'did you mean job?'],
    ['job: { jarUri: x }', 'job.jarUri', 'did you mean jarURI?'],
    ['jobManager: { resource: { mem: 1g } }', 'jobManager.resource.mem', 'known here are cpu, memory'],
    ['job: { args: [1] }', 'job.args[0]', 'put it in quotes'],
    ['ingress: { tempalte: x }', 'ingress.tempalte', 'did you mean template?'],
    ['mode: embedded', 'mode', 'must be application'],
    ['job: { state: stopped }', 'job.state', 'must be one of running, suspended'],
    ['job: { savepointFormat: legacy }', 'job.savepointFormat', 'must be canonical or native'],
    ['concurrency: { key: "deployment:x" }', 'concurrency.key', 'must not begin with deployment:'],
    ['deadlines: { start: 10 }', 'deadlines.start', 'must be a duration'],
    ['deadlines: { start: 10 parsecs }', 'deadlines.start', 'must be a duration'],
    ['taskManager: { resource: { memory: lots } }', 'taskManager.resource.memory', 'must be a memory size'],
    ['job: { entryClass: "a.B; rm -rf /" }', 'job.entryClass', 'must be a Java class name'],
    ['flinkConfiguration: { a.b: 1, a: { b: 2 } }', 'flinkConfiguration["a.b"]', 'given twice'],
    ['flinkConfiguration: { a: 123456789012345678901 }', 'flinkConfiguration.a', 'in quotes'],
    ['logConfiguration: { ../x: y }', 'logConfiguration["../x"]', 'not a known field'],
    ['retry: { attempts: 0 }', 'retry.attempts', ''],
  ])('refuses %s', (text, field, message) => {
    const expected = { reason: 'InvalidSpec', field, message: expect.stringContaining(message) as string };
    expect(() => parse(text)).toThrow(expect.objectContaining(expected) as Error);
  });

  it.each(['1.18', 'v3_0', '2', '1.2'])('refuses the version %s as not supported', (version) => {
    expect(() => parse(`flinkVersion: '${version}'`)).toThrow(
      expect.objectContaining({ reason: 'UnsupportedFlinkVersion' }) as Error,
    );
  });

  it('tells that YAML reads 1.20 as a number', () => {
    expect(() => parse('flinkVersion: 1.20')).toThrow('in quotes');
  });

  it('takes a FlinkSessionJob as a job in the session that it names', () => {
    const manifest = {
      apiVersion: 'flink.apache.org/v1beta1',
      kind: 'FlinkSessionJob',
      metadata: { name: 'top-speed', namespace: 'jobs' },
      spec: { deploymentName: 'team-a', job: { jarURI: 's3://jars/top.jar', parallelism: 4 } },
    };
    expect(parseManifestOrSpec(manifest)).toEqual({
      name: 'top-speed',
      namespace: 'jobs',
      mode: 'session',
      session: { clusterId: 'team-a', pool: 'team-a' },
      job: { jarURI: 's3://jars/top.jar', parallelism: 4 },
    });
  });

  it('names the fields of a manifest as its author wrote them', () => {
    expect(() => parse(MANIFEST.replace('parallelism: 2', 'paralelism: 2'))).toThrow(
      expect.objectContaining({
        field: 'spec.job.paralelism',
        message: expect.stringContaining('parallelism?') as string,
      }) as Error,
    );
    expect(() => parse(MANIFEST.replace('kind: FlinkDeployment', 'kind: FlinkStateSnapshot'))).toThrow(
      expect.objectContaining({ field: 'kind' }) as Error,
    );
    expect(() => parse(MANIFEST.replace('v1beta1', 'v1'))).toThrow(
      expect.objectContaining({ field: 'apiVersion' }) as Error,
    );
  });
});

describe('parseObjectText', () => {
  it('is bounded in size, depth, aliases and number of values', () => {
    const laughs = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefg'[i] ?? ''},`.repeat(9)}]`),
    ].join('\n');
    const deep = Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
    const wide = `a: [${'1,'.repeat(30_000)}]`;
    for (const text of [
      laughs,
      deep,
      wide,
      `a: "${'x'.repeat(300_000)}"`,
      `a: ${'- '.repeat(5000)}`,
      `x:\n  ${'- '.repeat(5000)}y`,
      `a: ${'{a: '.repeat(1200)}`,
    ]) {
      expect(() => parseObjectText(text, 'it')).toThrow(
        expect.objectContaining({ reason: 'MalformedRequest' }) as Error,
      );
    }
  });

  it.each(['constructor: 1', '"__proto__": {polluted: yes}', 'job: {"prototype": 1}', '<<: {a: 1}\n__proto__: 2'])(
    'refuses the key of %s',
    (text) => {
      expect(() => parseObjectText(text, 'it')).toThrow(
        expect.objectContaining({ reason: 'MalformedRequest' }) as Error,
      );
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  it('ends with a value or MalformedRequest on any text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'{}[]:,-&*!|>"\'#%\n a1'.split('')), maxLength: 60 }),
        (text) => {
          try {
            expect(typeof parseObjectText(text, 'it')).toBe('object');
          } catch (error) {
            expect(error).toMatchObject({ reason: 'MalformedRequest' });
          }
        },
      ),
    );
  });
});

describe('the small parsers', () => {
  it.each([
    ['90s', 90_000],
    ['10 min', 600_000],
    ['1h', 3_600_000],
    ['2 days', 172_800_000],
    ['500ms', 500],
    ['PT1H30M', 5_400_000],
    ['P1DT0.5S', 86_400_500],
    ['10', undefined],
    ['-1s', undefined],
    ['PT', undefined],
    ['999999 days', undefined],
    ['1 constructor', undefined],
  ])('reads the duration %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it('makes a valid name of any key', () => {
    fc.assert(fc.property(fc.string({ unit: CHARACTER }), (key) => isJobName(nameFromKey(key))));
    expect(nameFromKey('nightly/Word Count_v2.jar')).toBe('word-count-v2');
    expect(nameFromKey('a/2024-übung.JAR')).toBe('ubung');
    expect(nameFromKey('local:///opt/flink/usrlib/my.job.jar')).toBe('my-job');
  });

  it('matches globs as a regular expression would, in linear time', () => {
    const part = fc.constantFrom('a', 'b', '*', '?', '/');
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 }),
        (parts, text) => {
          const pattern = new RegExp(
            `^${parts.map((char) => (char === '*' ? '.*' : char === '?' ? '.' : char)).join('')}$`,
          );
          return matchesGlob(parts.join(''), text) === pattern.test(text);
        },
      ),
    );
    expect(matchesGlob('*a'.repeat(30), 'b'.repeat(50_000))).toBe(false);
  });
});
