import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { buildCli, bundle } from '../../infra/build-cli.mjs';

/** The command line as it is installed: what a bundler breaks, only the bundle shows. */
beforeAll(async () => buildCli());

const env = { PATH: process.env['PATH'], NO_COLOR: '1' };
const run = (...argv: string[]) => execFileSync(process.execPath, [bundle, ...argv], { encoding: 'utf8', env });

it('says its version', () => {
  expect(run('--version')).toMatch(/^\d+\.\d+\.\d+( \([0-9a-f]{7,}\+?\))?\n$/);
});

it('writes objects as YAML, with a pod template of a file', () => {
  const template = join(mkdtempSync(join(tmpdir(), 'flink-dispatch-')), 'pod.yaml');
  writeFileSync(
    template,
    'spec:\n  containers:\n    - { name: flink-main-container, env: [{ name: A, value: "1" }] }\n',
  );
  const flags = ['-Dkubernetes.cluster-id=a', `-Dkubernetes.pod-template-file.default=${template}`];
  const documents: unknown[] = parseAllDocuments(run('run', '--dry-run', ...flags, 'local:///j.jar')).map(
    (one) => one.toJS() as unknown,
  );
  expect(documents[0]).toMatchObject({ kind: 'Deployment', metadata: { name: 'a' } });
  expect(documents.map((one) => (one as { kind: string }).kind).sort()).toEqual([
    'ConfigMap',
    'ConfigMap',
    'Deployment',
    'Service',
    'Service',
  ]);
  expect(JSON.stringify(documents[0])).toContain('{"name":"A","value":"1"}');
});

it('reads a spec file and explains an option', () => {
  const spec = join(mkdtempSync(join(tmpdir(), 'flink-dispatch-')), 'job.yaml');
  writeFileSync(spec, 'name: nightly\nflinkVersion: "2.3"\nimage: flink:2.3.0\njob: { jarURI: "local:///j.jar" }\n');
  expect(run('run', '--dry-run', '-o', 'json', '-f', spec)).toContain('"name": "nightly"');
  expect(run('explain', 'kubernetes.jobmanager.cpu.amount=3')).toMatch(/limits\.cpu: 1\.0 → 3\.0/);
});

it('loads the reader of kubeconfigs', () => {
  const kubeconfig = join(mkdtempSync(join(tmpdir(), 'flink-dispatch-')), 'kubeconfig');
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  const { status, stderr } = spawnSync(process.execPath, [bundle, 'list'], {
    encoding: 'utf8',
    env: { ...env, KUBECONFIG: kubeconfig },
  });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^ClusterUnavailable: no answer from the Kubernetes API at http:\/\/127\.0\.0\.1:1/),
  ]);
});
