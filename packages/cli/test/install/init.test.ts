import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { runCli } from '../run-cli.ts';

const eks = mockClient(EKSClient);
const folder = mkdtempSync(join(tmpdir(), 'init-'));
const output = join(folder, 'dispatch.yml');
const kubeconfig = join(folder, 'kubeconfig');
const ENDPOINT = 'https://ABC.gr7.eu-central-1.eks.amazonaws.com';
const AUTHORITY = Buffer.from('-----BEGIN CERTIFICATE-----').toString('base64');

function writeKubeconfig(server: string, user: object): void {
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'mine' },
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': AUTHORITY } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'mine', context: { cluster: 'c', user: 'u' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
}

beforeEach(() => {
  eks.reset();
  rmSync(output, { force: true });
  writeKubeconfig('https://k.test:6443', { token: 't' });
});
afterAll(() => {
  eks.restore();
  rmSync(folder, { recursive: true });
});

const init = (argv: readonly string[], input: readonly string[] = []) =>
  runCli(['init', '-o', output, ...argv], { env: { KUBECONFIG: kubeconfig }, input });
const written = () => parseDispatchConfig(readFileSync(output, 'utf8'));
const accessWritten = () => written().targets['default']?.access;
const EKS = {
  kind: 'eks',
  cluster: 'prod',
  region: 'eu-central-1',
  endpoint: ENDPOINT,
  certificateAuthorityData: AUTHORITY,
};

describe('init', () => {
  it('asks for what no flag says, and takes what is in brackets for an empty line', async () => {
    const { code, err } = await init(['--namespace', 'jobs'], ['', 'runner', 'registry.test:5000/team/flink:1.20.1']);
    expect(code).toBe(0);
    expect(err).toContain('Service account of the jobs [flink]: ');
    expect(err).not.toContain('Namespace');
    const { targets, defaults, allow } = written();
    expect(targets['default']).toMatchObject({ namespace: 'jobs', access: { kind: 'kubeconfig', context: 'mine' } });
    expect(defaults).toMatchObject({ serviceAccount: 'runner', flinkVersion: '1.20' });
    expect(allow.images).toEqual(['registry.test:5000/team/flink:*']);
    expect(allow.jarBuckets).toEqual(['flink-dispatch-prod-jars-*']);
    expect(err).toContain('functions in AWS cannot read a kubeconfig of this machine');
  });

  it('asks nothing with --yes, nor where nobody is', async () => {
    for (const argv of [['--yes'], ['--force']]) {
      expect((await init(argv)).code).toBe(0);
      expect(written().defaults).toMatchObject({ image: 'flink:2.3.0', flinkVersion: '2.3' });
    }
  });

  it('has the endpoint and the authority of an EKS cluster from AWS', async () => {
    const cluster = { endpoint: ENDPOINT, certificateAuthority: { data: AUTHORITY } };
    eks.on(DescribeClusterCommand, { name: 'prod' }).resolves({ cluster });
    expect((await init(['--eks', 'prod', '--region', 'eu-central-1', '--yes'])).code).toBe(0);
    expect(accessWritten()).toEqual(EKS);
    eks.on(DescribeClusterCommand).resolves({ cluster: { status: 'CREATING' } });
    expect((await init(['--eks', 'prod', '--yes', '--force'])).err).toContain('has no endpoint yet');
  });

  it.each([
    ['aws', ['--region', 'eu-central-1', 'eks', 'get-token', '--cluster-name', 'prod']],
    ['aws-iam-authenticator', ['token', '-i', 'prod']],
  ])('tells a kubeconfig that has its tokens from %s as EKS', async (command, args) => {
    writeKubeconfig(ENDPOINT, { exec: { apiVersion: 'client.authentication.k8s.io/v1beta1', command, args } });
    expect((await init(['--yes'])).code).toBe(0);
    expect(accessWritten()).toEqual(EKS);
  });

  it('names the secret of any other cluster, and how it is made', async () => {
    const { err } = await init(['--secret', 'flink-dispatch/kind', '--yes']);
    expect(accessWritten()).toEqual({ kind: 'secret', arn: 'flink-dispatch/kind' });
    expect(err).toContain('aws secretsmanager create-secret --name flink-dispatch/kind');
  });

  it('writes values, whatever they are', async () => {
    await init(['--yes', '--image', 'flink:2.3.0 # {x: [', '--flink-version', '2.3']);
    expect((parse(readFileSync(output, 'utf8')) as { defaults: object }).defaults).toMatchObject({
      image: 'flink:2.3.0 # {x: [',
    });
  });

  it('writes over no file, and none that is not good', async () => {
    expect((await init(['--yes', '--namespace', 'Not A Name'])).code).toBe(1);
    expect(existsSync(output)).toBe(false);
    writeFileSync(output, 'mine');
    expect((await init(['--yes'])).err).toContain('is there already: --force');
    expect(readFileSync(output, 'utf8')).toBe('mine');
    expect((await init(['--yes', '--force', '--context', 'other'])).err).toContain("has no context 'other'");
    expect((await init(['--yes', '--force', '--image', 'jobs:7', '--flink-version', '7'])).code).toBe(2);
  });
});
