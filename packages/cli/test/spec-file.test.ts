import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { COMMANDS } from '../src/commands.ts';
import { parseFlags } from '../src/flags/flags.ts';
import { clusterRequest } from '../src/flags/request.ts';
import { readSettings } from '../src/flags/settings.ts';
import { readSpecFile } from '../src/flags/spec-file.ts';
import { fakeIo } from './fake-io.ts';

const MANIFEST = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata: { name: word-count, namespace: jobs }
spec:
  image: flink:1.20.0
  flinkVersion: v1_20
  serviceAccount: flink
  flinkConfiguration: { taskmanager.numberOfTaskSlots: "2" }
  jobManager: { resource: { memory: "2048m", cpu: 1 } }
  taskManager: { resource: { memory: "4096m", cpu: 2 } }
  job:
    jarURI: local:///opt/flink/usrlib/WordCount.jar
    entryClass: com.acme.WordCount
    args: ["--input", "it's \\"here\\""]
    parallelism: 4
    upgradeMode: stateless
`;

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'flink-dispatch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'job.yaml');
  writeFileSync(path, text);
  return path;
}

function request(text: string, ...argv: string[]) {
  const spec = readSpecFile(file(text));
  const parsed = parseFlags(COMMANDS.find(({ name }) => name === 'run')?.flags ?? [], argv, true);
  return clusterRequest(readSettings(fakeIo(), parsed, spec), parsed, 'application', spec);
}

describe('run -f', () => {
  it('takes a FlinkDeployment as it is', () => {
    expect(request(MANIFEST)).toMatchObject({
      flinkVersion: '1.20',
      options: {
        'kubernetes.cluster-id': 'word-count',
        'kubernetes.namespace': 'jobs',
        'kubernetes.container.image.ref': 'flink:1.20.0',
        'kubernetes.service-account': 'flink',
        'kubernetes.taskmanager.cpu.amount': '2',
        'taskmanager.numberOfTaskSlots': '2',
        'parallelism.default': '4',
      },
      program: {
        jars: ['local:///opt/flink/usrlib/WordCount.jar'],
        entryClass: 'com.acme.WordCount',
        args: ['--input', `it's "here"`],
      },
    });
  });

  it('gives its savepoint as the flags do that Flink writes last, until a flag names another', () => {
    const spec =
      'job: { jarURI: local:///j.jar, initialSavepointPath: s3://b/sp, allowNonRestoredState: true }\nimage: flink:2.3.0\n';
    expect(request(spec).flags).toMatchObject({ savepointPath: 's3://b/sp', allowNonRestoredState: true });
    expect(request(spec, '-s', 's3://b/other').flags).toEqual({
      savepointPath: 's3://b/other',
      allowNonRestoredState: false,
    });
  });

  it('flags win over it, and a jar takes its program’s place', () => {
    const given = request(
      MANIFEST,
      '-Dkubernetes.cluster-id=mine',
      '-p',
      '8',
      '--flink-version',
      '2.3',
      'local:///other.jar',
      '-x',
    );
    expect(given).toMatchObject({
      flinkVersion: '2.3',
      options: { 'kubernetes.cluster-id': 'mine', 'kubernetes.namespace': 'jobs' },
      program: { jars: ['local:///other.jar'], args: ['-x'] },
      flags: { parallelism: 8 },
    });
  });

  it('a job.yaml; what is for dispatched runs only is said', () => {
    const path = file(
      'name: nightly\nflinkVersion: "2.3"\njob: { jarURI: "local:///j.jar" }\nretry: { attempts: 3 }\n',
    );
    const spec = readSpecFile(path);
    expect(spec).toMatchObject({ jar: 'local:///j.jar', flinkVersion: '2.3', args: [] });
    expect(spec.notes).toEqual(['retry has no effect: it is for dispatched runs']);
  });

  it('logConfiguration replaces logging files, and is no longer only for dispatched runs', () => {
    const text =
      'name: n\nflinkVersion: "2.3"\njob: { jarURI: "local:///j.jar" }\nlogConfiguration: { log4j-console.properties: "rootLogger.level = WARN" }\n';
    expect(readSpecFile(file(text)).notes).toEqual([]);
    const asked = request(text);
    expect(asked.logFiles).toEqual({ 'log4j-console.properties': 'rootLogger.level = WARN' });
    expect(request(MANIFEST)).not.toHaveProperty('logFiles');
  });

  it.each([
    ['job: [', /job\.yaml: /],
    ['just text', /job\.yaml: the file must be a JSON or YAML object/],
    ['name: x\njbo: {}\n', /jbo/],
    ['apiVersion: flink.apache.org/v1beta1\nkind: FlinkSessionJob\nspec: {}\n', /deploymentName/],
    ['a: 1\n---\nb: 2\n', /job\.yaml: the file holds 2 YAML documents, and a request is one/],
  ])('refuses %j', (text, message) => {
    expect(() => readSpecFile(file(text))).toThrow(message);
  });

  it('knows a job for a session, and one for a standalone cluster', () => {
    const job = 'job: { jarURI: "local:///j.jar" }\n';
    expect(readSpecFile(file(`name: x\nsession: { clusterId: s }\n${job}`)).options).toMatchObject({
      'execution.target': 'kubernetes-session',
      'kubernetes.cluster-id': 's',
    });
    expect(readSpecFile(file(`mode: standalone\ntaskManager: { replicas: 2 }\n${job}`))).toMatchObject({
      standalone: true,
      taskManagers: 2,
    });
    expect(() => readSpecFile(file(`session: { pool: p }\n${job}`))).toThrow(/session\.pool is for dispatched runs/);
  });
});
