import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { notifyArns } from '../../lib/install/rights/policies.ts';
import { withConfiguration, type Template } from '../../lib/install/template.ts';
import { parseDispatchConfig, type DispatchConfig } from '../../lib/job/config/dispatch-config.ts';

const OWN: Template = { Parameters: {}, Resources: {} };
const target = { namespace: 'flink', access: { kind: 'in-cluster' } };

const configOf = (config: object): DispatchConfig =>
  parseDispatchConfig(stringify({ targets: { default: target }, ...config }));

function read(config: object, jarBucket?: string): Template {
  return withConfiguration(OWN, configOf(config), { stack: 'flink-dispatch-x', ...(jarBucket && { jarBucket }) });
}

/** In a target and namespace of its own. */
const withTenants = (tenants: Readonly<Record<string, object>>): object => ({
  targets: { default: { ...target, namespaces: Object.keys(tenants) } },
  tenants: Object.fromEntries(
    Object.entries(tenants).map(([name, tenant]) => [name, { targets: { default: [name] }, ...tenant }]),
  ),
});

const statements = ({ Resources }: Template, id: string): string => JSON.stringify(Resources[id]);

it('gives nothing to a deployment that asks for nothing', () => {
  const { Resources } = read({ allow: { jarBuckets: ['flink-dispatch-*'] } });
  expect(Resources).toEqual({});
});

it('takes the place of what another configuration needed, and of nothing else', () => {
  const queue = { Type: 'AWS::SQS::Queue', Properties: {} };
  const before = withConfiguration(
    { Parameters: {}, Resources: { Runs: queue } },
    configOf({ allow: { jarBuckets: ['a'], notify: ['arn:aws:sns:eu-central-1:111122223333:t'] } }),
    { stack: 'flink-dispatch-x' },
  );
  expect(Object.keys(before.Resources)).toEqual(['Runs', 'FurtherJarBucketsPolicy', 'NotifyPolicy']);
  const after = withConfiguration(before, configOf({ allow: { jarBuckets: ['b'] } }), { stack: 'flink-dispatch-x' });
  expect(Object.keys(after.Resources)).toEqual(['Runs', 'FurtherJarBucketsPolicy']);
  expect(statements(after, 'FurtherJarBucketsPolicy')).not.toContain(':::a');
  expect(after.Resources['Runs']).toBe(queue);
});

it('lets jars be read from buckets of the allow-list that the roles do not name already', () => {
  const config = { allow: { jarBuckets: ['ours', 'team-a', 'team-?-jars', '*'] } };
  const found = read(config, 'ours');
  const text = statements(found, 'FurtherJarBucketsPolicy');
  expect(text).toContain('"arn:${AWS::Partition}:s3:::team-a/*"');
  expect(text).toContain('"arn:${AWS::Partition}:s3:::team-?-jars/*"');
  expect(text).not.toContain(':::ours');
  expect(text).not.toContain(':::*');
});

it('lets state be read and removed below the prefixes of the allow-lists, and nowhere else', () => {
  const found = read({
    ...withTenants({
      a: {
        sources: [{ bucket: 'jars' }],
        allow: { stateStorage: ['s3://state/flink/', 's3://whole', 's3://state/a'] },
      },
    }),
  });
  const policy = found.Resources['StateStoragePolicy'] as unknown as {
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

it('lets events go to the queues and topics that runs, rules, targets or defaults may name', () => {
  const queue = (name: string): string => `https://sqs.eu-central-1.amazonaws.com/111122223333/${name}`;
  const config = {
    targets: { default: { ...target, defaults: { notify: [queue('of-target')] } } },
    defaults: { notify: [queue('of-all')] },
    rules: [{ match: { job: 'x' }, spec: { notify: ['arn:aws:sns:eu-central-1:111122223333:of-rule'] } }],
    allow: { notify: [queue('team-*'), 'anything'] },
  };
  const found = read(config);
  const text = statements(found, 'NotifyPolicy');
  for (const name of ['of-target', 'of-all', 'team-*']) {
    expect(text).toContain(`"arn:\${AWS::Partition}:sqs:eu-central-1:111122223333:${name}"`);
  }
  expect(text).toContain('"arn:aws:sns:eu-central-1:111122223333:of-rule"');
  expect(text).not.toContain('anything');
  expect(notifyArns(configOf(config)).unnamed).toEqual(['anything']);
});

it('lets functions read the secrets that targets and registries name, with or without the suffix of the ARN', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:kube';
  const found = read({
    targets: {
      a: { namespace: 'n', access: { kind: 'secret', arn } },
      b: { namespace: 'n', access: { kind: 'secret', arn: 'by-name' } },
    },
    registries: { 'registry.example': { auth: { kind: 'secret', arn: `${arn}-AbCdEf` } } },
  });
  const text = statements(found, 'SecretsPolicy');
  expect(text).toContain(`"${arn}-??????"`);
  expect(text).toContain(`"${arn}-AbCdEf"`);
  expect(text).toContain(':secret:by-name-??????"');
  expect(text).not.toContain('*');
});

it('lets images be written only to the repository of jarDelivery', () => {
  const host = '111122223333.dkr.ecr.eu-central-1.amazonaws.com';
  const found = read({
    targets: { default: { ...target, jarDelivery: { kind: 'bundle', repository: `${host}/jobs` } } },
    registries: { [host]: { auth: { kind: 'ecr' } } },
    allow: { images: [`${host}/flink:2.*`] },
  });
  const policy = found.Resources['RegistryPolicy'] as unknown as {
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

it('gives each tenant its queues, its jars, and schedules that no one else can call for', () => {
  const queue = 'arn:aws:sqs:eu-central-1:111122223333:orders';
  const own = 'arn:aws:sqs:eu-central-1:111122223333:flink-dispatch-x-messages';
  const address = 'https://sqs.eu-central-1.amazonaws.com/111122223333/told';
  const sources = [{ queue }, { queue: own }, { bucket: 'orders-jars', prefix: 'a/' }, { scheduleGroup: 'orders' }];
  const found = read({
    ...withTenants({ 'order-team': { sources, allow: { notify: [address], jarBuckets: ['more'] } } }),
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
  expect(role).toContain('"Action":["lambda:InvokeFunction"],"Resource":[{"Ref":"TenantOrderTeamSchedules0Alias"}]');
});

it('has uploads into folders of tenants told of, where the deployment does not hear of them already', () => {
  const tenants = {
    a: {
      sources: [
        { bucket: 'shared', prefix: 'a/' },
        { bucket: 'flink-dispatch-x-jars-111122223333', prefix: 'a/' },
      ],
    },
    b: { sources: [{ bucket: 'shared', prefix: 'b*/' }, { bucket: 'of-b' }] },
  };
  const found = read(withTenants(tenants));
  const folder = (bucket: string, wildcard: string) => ({
    bucket: { name: [bucket] },
    object: { key: ['jar', 'sql', 'py'].map((ending) => ({ wildcard: `${wildcard}.${ending}` })) },
  });
  expect(found.Resources['TenantJarUploadRule']).toMatchObject({
    Properties: {
      Name: { 'Fn::Sub': '${AWS::StackName}-jar-uploads-of-tenants' },
      EventPattern: {
        detail: { $or: [folder('shared', 'a/*'), folder('shared', 'b\\*/*'), folder('of-b', '*')] },
      },
      Targets: [{ Arn: { 'Fn::GetAtt': ['JarUploads', 'Arn'] } }],
    },
  });
  const { Resources } = read(withTenants({ a: { sources: [{ bucket: 'ours' }] } }), 'ours');
  expect(Resources).not.toHaveProperty('TenantJarUploadRule');
});
