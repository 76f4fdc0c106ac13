import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { stringify } from 'yaml';

interface FromConfig {
  readonly names: { readonly jarBucket: string; readonly ledgerBucket: string };
  readonly Resources: Readonly<Record<string, unknown>>;
}
type Resolve = (options: { resolveVariable(name: string): Promise<string> }) => Promise<FromConfig>;

const fromConfig = createRequire(import.meta.url)('../../infra/aws/from-config.cjs') as Resolve;
const folder = mkdtempSync(join(tmpdir(), 'from-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(config: unknown, params: Readonly<Record<string, string>> = {}): Promise<FromConfig> {
  const file = join(folder, 'dispatch.yml');
  writeFileSync(file, stringify(config));
  const known: Readonly<Record<string, string>> = {
    'param:config': file,
    'self:provider.stackName': 'flink-dispatch-x',
  };
  return fromConfig({
    resolveVariable: (name) => Promise.resolve(known[name] ?? params[name.replace('param:', '')] ?? ''),
  });
}

const statements = ({ Resources }: FromConfig, id: string): string => JSON.stringify(Resources[id]);

it('gives nothing to a deployment that asks for nothing', async () => {
  const access = { kind: 'eks', cluster: 'c' };
  const { Resources, names } = await read({
    targets: { default: { access } },
    allow: { jarBuckets: ['flink-dispatch-*'] },
  });
  expect(Resources).toEqual({});
  expect(names).toEqual({
    jarBucket: '${AWS::StackName}-jars-${AWS::AccountId}',
    ledgerBucket: '${AWS::StackName}-ledger-${AWS::AccountId}',
  });
});

it('lets jars be read from buckets of the allow-list that the roles do not name already', async () => {
  const config = { allow: { jarBuckets: ['ours', 'team-a', 'team-?-jars', '*'] } };
  const found = await read(config, { jarBucket: 'ours' });
  expect(found.names.jarBucket).toBe('ours');
  const text = statements(found, 'FurtherJarBucketsPolicy');
  expect(text).toContain('"arn:${AWS::Partition}:s3:::team-a/*"');
  expect(text).toContain('"arn:${AWS::Partition}:s3:::team-?-jars/*"');
  expect(text).not.toContain(':::ours');
  expect(text).not.toContain(':::*');
});

it('lets state be read and removed below the prefixes of the allow-lists, and nowhere else', async () => {
  const found = await read({
    allow: { stateStorage: ['s3://state/flink/', 's3://whole'] },
    tenants: { a: { allow: { stateStorage: ['s3://state/a'] } } },
  });
  const policy = found.Resources['StateStoragePolicy'] as {
    Properties: { Roles: unknown; PolicyDocument: { Statement: unknown[] } };
  };
  expect(policy.Properties.Roles).toEqual([{ Ref: 'AdvanceRunRole' }]);
  const arn = (path: string): object => ({ 'Fn::Sub': `arn:\${AWS::Partition}:s3:::${path}` });
  const onObjects = (path: string): object => ({
    ...{ Effect: 'Allow', Action: ['s3:GetObject', 's3:DeleteObject'], Resource: [arn(path)] },
  });
  const list = (bucket: string, prefix?: string): object => ({
    ...{ Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [arn(bucket)] },
    ...(prefix === undefined ? {} : { Condition: { StringLike: { 's3:prefix': prefix } } }),
  });
  expect(policy.Properties.PolicyDocument.Statement).toEqual([
    ...[list('state', 'flink/*'), onObjects('state/flink/*'), list('whole'), onObjects('whole/*')],
    ...[list('state', 'a/*'), onObjects('state/a/*')],
  ]);
});

it('lets events go to the queues and topics that runs, rules, targets or defaults may name', async () => {
  const queue = (name: string): string => `https://sqs.eu-central-1.amazonaws.com/111122223333/${name}`;
  const found = await read({
    targets: { default: { defaults: { notify: [queue('of-target')] } } },
    defaults: { notify: [queue('of-all')] },
    rules: [{ spec: { notify: ['arn:aws:sns:eu-central-1:111122223333:of-rule'] } }],
    allow: { notify: [queue('team-*'), 'anything'] },
  });
  const text = statements(found, 'NotifyPolicy');
  for (const name of ['of-target', 'of-all', 'team-*']) {
    expect(text).toContain(`"arn:\${AWS::Partition}:sqs:eu-central-1:111122223333:${name}"`);
  }
  expect(text).toContain('"arn:aws:sns:eu-central-1:111122223333:of-rule"');
  expect(text).not.toContain('anything');
});

it('lets functions read the secrets that targets and registries name, with or without the suffix of the ARN', async () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:kube';
  const found = await read({
    targets: { a: { access: { kind: 'secret', arn } }, b: { access: { kind: 'secret', arn: 'by-name' } } },
    registries: { 'registry.example': { auth: { kind: 'secret', arn: `${arn}-AbCdEf` } } },
  });
  const text = statements(found, 'SecretsPolicy');
  expect(text).toContain(`"${arn}-??????"`);
  expect(text).toContain(`"${arn}-AbCdEf"`);
  expect(text).toContain(':secret:by-name-??????"');
  expect(text).not.toContain('*');
});

it('lets images be written only to the repository of jarDelivery', async () => {
  const host = '111122223333.dkr.ecr.eu-central-1.amazonaws.com';
  const found = await read({
    targets: { default: { jarDelivery: { kind: 'bundle', repository: `${host}/jobs` } } },
    registries: { [host]: { auth: { kind: 'ecr' } } },
    allow: { images: [`${host}/flink:2.*`] },
  });
  const policy = found.Resources['RegistryPolicy'] as {
    Properties: { PolicyDocument: { Statement: { Action: string[]; Resource: unknown[] }[] } };
  };
  const { Statement } = policy.Properties.PolicyDocument;
  const resources = (action: string): string =>
    JSON.stringify(Statement.find(({ Action }) => Action.includes(action))?.Resource);
  expect(resources('ecr:BatchGetImage')).toContain('repository/flink"');
  expect(resources('ecr:BatchGetImage')).toContain('repository/jobs"');
  expect(resources('ecr:PutImage')).toContain('repository/jobs"');
  expect(resources('ecr:PutImage')).not.toContain('repository/flink');
});

it('gives each tenant its queues, its jars, and schedules that no one else can call for', async () => {
  const queue = 'arn:aws:sqs:eu-central-1:111122223333:orders';
  const own = 'arn:aws:sqs:eu-central-1:111122223333:flink-dispatch-x-messages';
  const address = 'https://sqs.eu-central-1.amazonaws.com/111122223333/told';
  const sources = [{ queue }, { queue: own }, { bucket: 'orders-jars', prefix: 'a/' }, { scheduleGroup: 'orders' }];
  const found = await read({
    tenants: { 'order-team': { sources, allow: { notify: [address], jarBuckets: ['more'] } } },
  });
  expect(Object.keys(found.Resources)).toEqual([
    ...['FurtherJarBucketsPolicy', 'NotifyPolicy', 'TenantQueuesPolicy', 'TenantOrderTeamQueue0'],
    ...['Group', 'Alias', 'Role', 'Invoke'].map((what) => `TenantOrderTeamSchedules0${what}`),
    'TenantJarUploadRule',
  ]);
  expect(found.Resources['TenantOrderTeamQueue0']).toMatchObject({ Properties: { EventSourceArn: queue } });
  expect(statements(found, 'TenantQueuesPolicy')).toContain(queue);
  expect(statements(found, 'FurtherJarBucketsPolicy')).toMatch(/:::more\/\*.*:::orders-jars\/\*/);
  expect(statements(found, 'NotifyPolicy')).toContain(':told');
  expect(found.Resources['TenantOrderTeamSchedules0Alias']).toMatchObject({ Properties: { Name: 'orders' } });
  const role = statements(found, 'TenantOrderTeamSchedules0Role');
  expect(role).toContain(
    '"aws:SourceArn":{"Fn::Sub":"arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule-group/orders"}',
  );
  expect(role).toContain('"Action":"lambda:InvokeFunction","Resource":{"Ref":"TenantOrderTeamSchedules0Alias"}');
});

it('has uploads into folders of tenants told of, where the deployment does not hear of them already', async () => {
  const tenants = {
    a: {
      sources: [
        { bucket: 'shared', prefix: 'a/' },
        { bucket: 'flink-dispatch-x-jars-111122223333', prefix: 'a/' },
      ],
    },
    b: { sources: [{ bucket: 'shared', prefix: 'b*/' }, { bucket: 'of-b' }] },
  };
  const found = await read({ tenants });
  const folder = (bucket: string, wildcard: string) => ({
    bucket: { name: [bucket] },
    object: { key: [{ wildcard }] },
  });
  expect(found.Resources['TenantJarUploadRule']).toMatchObject({
    Properties: {
      Name: { 'Fn::Sub': '${AWS::StackName}-jar-uploads-of-tenants' },
      EventPattern: {
        detail: { $or: [folder('shared', 'a/*.jar'), folder('shared', 'b\\*/*.jar'), folder('of-b', '*.jar')] },
      },
      Targets: [{ Arn: { 'Fn::GetAtt': ['JarUploads', 'Arn'] } }],
    },
  });
  const { Resources } = await read({ tenants: { a: { sources: [{ bucket: 'ours' }] } } }, { jarBucket: 'ours' });
  expect(Resources).not.toHaveProperty('TenantJarUploadRule');
});
