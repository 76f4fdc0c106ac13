import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { buildRelease } from '../../../infra/release.ts';
import { omit } from '../../../lib/core/omit.ts';
import { withConfiguration } from '../../../lib/install/template.ts';
import { parseDispatchConfig } from '../../../lib/job/config/dispatch-config.ts';
import { bundleOf, type Bundle } from '../../lambda/bundle.ts';
import {
  allowedTo,
  readTemplate,
  referencesIn,
  resourcesOf,
  statementsOf,
  withOwnBuckets,
  withParameters,
  type Template,
} from './template.ts';

const PROJECT = join(import.meta.dirname, '..', '..', '..');
const FUNCTIONS = {
  OnJarUpload: 'functions/on-jar-upload.ts',
  OnMessage: 'functions/on-message.ts',
  OnSchedule: 'functions/on-schedule.ts',
  OnHttp: 'functions/on-http.ts',
  OnPage: 'functions/on-page.ts',
  AdvanceRun: 'functions/advance-run.ts',
  SweepRuns: 'functions/sweep-runs.ts',
} as const;
const NAMES = Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[];

/** What a command of the AWS SDK asks for (Service Authorization Reference). */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  's3:GetObject': ['s3:GetObject'],
  's3:HeadObject': ['s3:GetObject', 's3:GetObjectVersion'],
  's3:CopyObject': ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'],
  // The SDK's own, for directory buckets, which these are not.
  's3:CreateSession': [],
  's3:PutObject': ['s3:PutObject'],
  's3:DeleteObject': ['s3:DeleteObject'],
  's3:DeleteObjects': ['s3:DeleteObject'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  'sqs:SendMessage': ['sqs:SendMessage'],
  'sns:Publish': ['sns:Publish'],
  'sfn:SendTaskSuccess': ['states:SendTaskSuccess'],
  'sfn:SendTaskFailure': ['states:SendTaskFailure'],
  'sfn:SendTaskHeartbeat': ['states:SendTaskHeartbeat'],
  'scheduler:ListSchedules': ['scheduler:ListSchedules'],
  'scheduler:GetSchedule': ['scheduler:GetSchedule'],
  'eventbridge:PutEvents': ['events:PutEvents'],
  'secrets-manager:GetSecretValue': ['secretsmanager:GetSecretValue'],
  'ecr:GetAuthorizationToken': ['ecr:GetAuthorizationToken'],
};
/** What Lambda does with a function's role, and what no command of the SDK stands for. */
const WITHOUT_COMMAND: Readonly<Record<string, string>> = {
  'logs:CreateLogStream': 'Lambda writes the log',
  'logs:PutLogEvents': 'Lambda writes the log',
  'kms:Decrypt': 'S3 and SQS use a key with the rights of who asks, where there is a key',
  'kms:GenerateDataKey': 'S3 and SQS use a key with the rights of who asks, where there is a key',
  'xray:PutTraceSegments': 'Lambda writes the trace',
  'xray:PutTelemetryRecords': 'Lambda writes the trace',
  'sqs:ReceiveMessage': 'the event source mapping reads the queue',
  'sqs:DeleteMessage': 'the event source mapping reads the queue',
  'sqs:GetQueueAttributes': 'the event source mapping reads the queue',
  's3:GetObjectVersion': 'a GetObject that names a version, as signed URLs of jars do',
  's3:ListBucket': 'without it a missing object is told as a forbidden one',
  'ecr:GetAuthorizationToken': 'only where a registry is ECR',
  'ecr:BatchCheckLayerAvailability': 'the registry speaks the distribution API',
  'ecr:BatchGetImage': 'the registry speaks the distribution API',
  'ecr:GetDownloadUrlForLayer': 'the registry speaks the distribution API',
  'ecr:CompleteLayerUpload': 'the registry speaks the distribution API',
  'ecr:InitiateLayerUpload': 'the registry speaks the distribution API',
  'ecr:PutImage': 'the registry speaks the distribution API',
  'ecr:UploadLayerPart': 'the registry speaks the distribution API',
  ...Object.fromEntries(
    ['Assign', 'Unassign'].map((verb) => [
      `ec2:${verb}PrivateIpAddresses`,
      'Lambda enters the VPC, where there is one',
    ]),
  ),
  ...Object.fromEntries(
    ['Create', 'Delete'].map((verb) => [`ec2:${verb}NetworkInterface`, 'Lambda enters the VPC, where there is one']),
  ),
  'ec2:DescribeNetworkInterfaces': 'Lambda enters the VPC, where there is one',
  'ec2:DescribeSubnets': 'Lambda enters the VPC, where there is one',
};

/** A configuration that needs every right that there is. */
const REGISTRY = '111122223333.dkr.ecr.eu-central-1.amazonaws.com';
const CONFIG = {
  targets: {
    default: {
      namespace: 'flink',
      access: { kind: 'secret', arn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:kubeconfig-AbCdEf' },
      jarDelivery: { kind: 'bundle', repository: `${REGISTRY}/jobs` },
    },
  },
  registries: { [REGISTRY]: { auth: { kind: 'ecr' } } },
  allow: {
    images: ['flink:*', `${REGISTRY}/flink:*`],
    jarBuckets: ['flink-dispatch-*', 'team-a-jars', 'team-b-*'],
    notify: [
      'https://sqs.eu-central-1.amazonaws.com/111122223333/flink-*',
      'arn:aws:sns:eu-central-1:111122223333:ended',
    ],
  },
};

let folder = '';
let template: Template;
let packageFolder: string;
const bundles = new Map<string, Bundle>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-test-'));
  packageFolder = join(folder, 'release');
  await buildRelease(packageFolder);
  template = withConfiguration(readTemplate(packageFolder), parseDispatchConfig(stringify(CONFIG)), {
    stack: 'flink-dispatch-test',
  });
  for (const name of NAMES) bundles.set(name, await bundleOf(FUNCTIONS[name]));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('policies', () => {
  it('say `*` only where their resource says why', () => {
    const everything = Object.entries(template.Resources).flatMap(([id, resource]) => statementsOf(id, resource));
    const broad = everything.filter(
      ({ actions, resources }) => actions.some((action) => action.includes('*')) || resources.includes('*'),
    );
    expect(broad.length).toBeGreaterThan(5);
    expect(broad.filter(({ justified = '' }) => justified.length < 20).map(({ id }) => id)).toEqual([]);
    const allowed = broad.filter(({ effect }) => effect === 'Allow');
    expect(new Set(allowed.map(({ id }) => id.split('/')[1]))).toEqual(
      new Set(['Trace', 'RegistryToken', 'NetworkInterfaces', 'AnswerTasks', 'ListSchedules']),
    );
  });

  it('justify nothing that is not there', () => {
    for (const [id, resource] of Object.entries(template.Resources)) {
      const broad = statementsOf(id, resource).filter(({ justified }) => justified !== undefined);
      const reasons = resource.Metadata?.Justified ?? {};
      expect(broad.map((one) => one.id)).toEqual(Object.keys(reasons).map((sid) => `${id}/${sid}`));
    }
  });

  it('end a resource with `*` only below a name that is there', () => {
    const everything = Object.entries(template.Resources).flatMap(([id, resource]) => statementsOf(id, resource));
    for (const { resources, justified, effect } of everything) {
      if (justified !== undefined || effect === 'Deny') continue;
      for (const text of JSON.stringify(withOwnBuckets(resources)).match(/arn:[^"]*\*/g) ?? []) {
        expect(text).toMatch(
          /(\/(config|jobs|runs|live|index|index\/rows|index\/older|live-deployments|deployments|locks|lock-queues|sessions|jars|archive)|-[a-z]+:|jars-[^/]*|team-a-jars|team-b-\*?|:flink-|schedule\/\$\{AWS::StackName\})\/?\*(\/\*)?$/,
        );
      }
    }
  });

  it.each(NAMES)('let %s do what its code calls, and nothing else', (name) => {
    const commands = [...(bundles.get(name)?.commands ?? [])];
    const needed = new Set(commands.flatMap((command) => ACTIONS[command] ?? [`unknown: ${command}`]));
    const allowed = new Set(allowedTo(template, `${name}Role`).flatMap(({ actions }) => actions));
    expect([...needed].filter((action) => !allowed.has(action))).toEqual([]);
    expect([...allowed].filter((action) => !needed.has(action) && WITHOUT_COMMAND[action] === undefined)).toEqual([]);
  });

  it('let the page write by the policy that Page=act brings alone', () => {
    const writes = /^(s3:(Put|Delete)|sqs:|states:|events:)/;
    const writing = (id: string): readonly string[] => {
      const resource = template.Resources[id];
      const statements = resource === undefined ? [] : statementsOf(id, resource);
      return statements.flatMap(({ actions }) => actions).filter((action) => writes.test(action));
    };
    expect(writing('OnPageRole')).toEqual([]);
    expect(writing('PageActionsPolicy')).toEqual(['s3:PutObject', 's3:DeleteObject', 'sqs:SendMessage']);
    expect(template.Resources['PageActionsPolicy']?.Condition).toBe('HasPageActions');
    expect(template.Resources['PageUrl']?.Condition).toBe('HasPage');
    expect(template.Parameters['Page']?.Default).toBe('off');
  });
});

describe('functions', () => {
  const functions = () => resourcesOf(template, 'AWS::Lambda::Function');

  /** A number, or the default of the parameter that it refers to. */
  const valueOf = (number: unknown): number =>
    typeof number === 'number' ? number : Number(template.Parameters[referencesIn(number)[0] ?? '']?.Default);

  it('have a role and reserved concurrency each', () => {
    const roles = functions().map(([, { Properties }]) => JSON.stringify(Properties['Role']));
    expect(new Set(roles).size).toBe(NAMES.length);
    for (const [, { Properties }] of functions()) {
      expect(valueOf(Properties['ReservedConcurrentExecutions'])).toBeGreaterThan(0);
      expect(Properties['Runtime']).toBe('nodejs24.x');
      // Lambda takes 4 KB of environment; references grow when they are filled in.
      expect(JSON.stringify(Properties['Environment']).length).toBeLessThan(2500);
    }
  });

  it('get messages back when they are dead, and report each by itself', () => {
    const mappings = resourcesOf(template, 'AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(3);
    for (const [, { Properties }] of mappings) {
      const [queueId = ''] = referencesIn(Properties['EventSourceArn']);
      const [functionId = ''] = referencesIn(Properties['FunctionName']);
      const queue = template.Resources[queueId]?.Properties;
      const lambda = template.Resources[functionId]?.Properties;
      expect(queue?.['VisibilityTimeout']).toBe(6 * Number(lambda?.['Timeout']));
      expect(queue?.['RedrivePolicy']).toMatchObject({ maxReceiveCount: 5 });
      expect(Properties['FunctionResponseTypes']).toEqual(['ReportBatchItemFailures']);
      const { MaximumConcurrency } = Properties['ScalingConfig'] as { MaximumConcurrency: unknown };
      expect(valueOf(MaximumConcurrency)).toBeLessThanOrEqual(valueOf(lambda?.['ReservedConcurrentExecutions']));
    }
  });

  it('that are called without a queue keep what they could not take', () => {
    const [, onSchedule] =
      resourcesOf(template, 'AWS::Lambda::EventInvokeConfig').find(([id]) => id.startsWith('OnSchedule')) ?? [];
    expect(referencesIn(onSchedule?.Properties['DestinationConfig'])).toEqual(['SchedulesFailed']);
  });

  it.each(NAMES)('%s holds nothing that it does not need', (name) => {
    const bundle = bundles.get(name);
    const follows = name === 'AdvanceRun' || name === 'SweepRuns';
    expect(bundle?.packages.has('@kubernetes/client-node')).toBe(follows);
    expect(bundle?.packages.has('@aws-sdk/client-eventbridge')).toBe(name === 'AdvanceRun');
    expect(bundle?.packages.has('@aws-sdk/client-secrets-manager')).toBe(follows);
    expect(bundle?.bytes).toBeLessThan(follows ? 2_500_000 : 1_200_000);
    const file = `${name.charAt(0).toLowerCase()}${name.slice(1)}.zip`;
    expect(statSync(join(packageFolder, file)).size).toBeLessThan(follows ? 1_000_000 : 700_000);
  });
});

describe('storage', () => {
  const all = (type: string) => resourcesOf(template, type);

  it('buckets are versioned, encrypted, private, TLS only, with a life cycle', () => {
    expect(all('AWS::S3::Bucket')).toHaveLength(2);
    for (const [id, { Properties }] of all('AWS::S3::Bucket')) {
      expect(Properties).toMatchObject({
        VersioningConfiguration: { Status: 'Enabled' },
        PublicAccessBlockConfiguration: { BlockPublicPolicy: true, RestrictPublicBuckets: true },
        LifecycleConfiguration: {
          Rules: expect.arrayContaining([expect.objectContaining({ Status: 'Enabled' })]) as unknown,
        },
      });
      expect(Properties['BucketEncryption']).toBeDefined();
      deniesPlain(`${id}Policy`);
    }
  });

  it('queues are encrypted, TLS only, and keep messages for 14 days', () => {
    expect(all('AWS::SQS::Queue')).toHaveLength(8);
    for (const [id, { Properties }] of all('AWS::SQS::Queue')) {
      expect(Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600 });
      deniesPlain(`${id}Policy`);
    }
  });

  it('dead-letter queues take from their own queue alone', () => {
    for (const [id, { Properties }] of all('AWS::SQS::Queue')) {
      const [dead] = referencesIn(Properties['RedrivePolicy']);
      if (dead === undefined) continue;
      const allow = JSON.stringify(template.Resources[dead]?.Properties['RedriveAllowPolicy']);
      const name = JSON.stringify(Properties['QueueName']).replace(/.*\$\{AWS::StackName\}(-[a-z-]+).*/, '$1');
      expect(allow, id).toContain(`\${AWS::StackName}${name}"`);
      expect(allow, id).toContain('byQueue');
    }
  });

  function deniesPlain(policy: string): void {
    const resource = template.Resources[policy];
    const statements = resource === undefined ? [] : statementsOf(policy, resource);
    expect(statements).toContainEqual(expect.objectContaining({ id: `${policy}/TlsOnly`, effect: 'Deny' }));
  }
});

describe('what a platform team asks', () => {
  const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1';
  const of = (given: Readonly<Record<string, string>>, type: string) =>
    resourcesOf(withParameters(template, given), type).map(([, { Properties }]) => Properties);
  /** Of functions, and of schedules. */
  const roles = { length: NAMES.length + 1 };

  it('a key of its own is that of all that holds data, and every role may use it', () => {
    const given = { KmsKeyArn: KEY };
    const key = { Ref: 'KmsKeyArn' };
    const sse = {
      ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: key },
      BucketKeyEnabled: true,
    };
    for (const properties of of(given, 'AWS::S3::Bucket'))
      expect(properties['BucketEncryption']).toEqual({ ServerSideEncryptionConfiguration: [sse] });
    for (const properties of of(given, 'AWS::SQS::Queue')) {
      expect(properties['KmsMasterKeyId']).toEqual(key);
      expect(properties).not.toHaveProperty('SqsManagedSseEnabled');
    }
    for (const properties of of(given, 'AWS::Lambda::Function')) expect(properties['KmsKeyArn']).toEqual(key);
    for (const properties of of(given, 'AWS::Logs::LogGroup')) expect(properties['KmsKeyId']).toEqual(key);
    for (const properties of of(given, 'AWS::Events::EventBus')) expect(properties['KmsKeyIdentifier']).toEqual(key);
    const { Resources } = withParameters(template, given);
    expect(Resources['KeyPolicy']?.Properties['Roles']).toMatchObject(roles);
    expect(Resources).not.toHaveProperty('FurtherKeysPolicy');
  });

  it('without one AWS’ own keys encrypt, and nobody has rights on keys', () => {
    const sse = { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } };
    for (const properties of of({}, 'AWS::S3::Bucket'))
      expect(properties['BucketEncryption']).toEqual({ ServerSideEncryptionConfiguration: [sse] });
    for (const properties of of({}, 'AWS::SQS::Queue')) expect(properties['SqsManagedSseEnabled']).toBe(true);
    const { Resources } = withParameters(template);
    expect(JSON.stringify(Resources)).not.toMatch(/kms|xray|PermissionsBoundary/i);
  });

  it('keys of existing buckets, topics and queues may be used', () => {
    const { Resources } = withParameters(template, { FurtherKeyArns: KEY });
    expect(Resources['FurtherKeysPolicy']?.Properties['Roles']).toMatchObject(roles);
    expect(Resources).not.toHaveProperty('KeyPolicy');
  });

  it('a boundary is that of every role, also of those that follow from the configuration', () => {
    const tenants = { a: { targets: { default: ['flink'] }, sources: [{ scheduleGroup: 'of-a' }] } };
    const config = parseDispatchConfig(stringify({ ...omit(CONFIG, 'allow'), tenants }));
    const made = withConfiguration(readTemplate(packageFolder), config, { stack: 'flink-dispatch-test' });
    const bounded = resourcesOf(
      withParameters(made, { PermissionsBoundary: 'arn:aws:iam::1:policy/b' }),
      'AWS::IAM::Role',
    );
    expect(bounded.map(([id]) => id)).toContain('TenantASchedules0Role');
    for (const [, { Properties }] of bounded)
      expect(Properties['PermissionsBoundary']).toEqual({ Ref: 'PermissionsBoundary' });
  });

  it('traces, alarms and the dashboard are there as they are wished', () => {
    expect(of({}, 'AWS::Lambda::Function').map((one) => one['TracingConfig'])[0]).toEqual({ Mode: 'PassThrough' });
    const traced = of({ Tracing: 'on' }, 'AWS::Lambda::Function').map((one) => one['TracingConfig']);
    expect(new Set(traced.map((one) => JSON.stringify(one)))).toEqual(new Set(['{"Mode":"Active"}']));
    const quiet = withParameters(template, { WithAlarms: 'off', WithDashboard: 'off' });
    expect(JSON.stringify(quiet.Resources)).not.toContain('AWS::CloudWatch::');
    expect(of({}, 'AWS::CloudWatch::Alarm').length).toBeGreaterThan(10);
  });
});

describe('alarms', () => {
  it('watch every queue that is read, every dead-letter queue, every function, and what the sweep finds', () => {
    const alarms = JSON.stringify(resourcesOf(template, 'AWS::CloudWatch::Alarm'));
    for (const [, { Properties }] of resourcesOf(template, 'AWS::SQS::Queue')) {
      expect(alarms).toContain(JSON.stringify(Properties['QueueName']));
    }
    for (const [, { Properties }] of resourcesOf(template, 'AWS::Lambda::Function')) {
      expect(alarms).toContain(JSON.stringify(Properties['FunctionName']));
    }
    for (const metric of ['OverdueRuns', 'LeakedClusters', 'UnsweptTargets', 'BadConfiguration'])
      expect(alarms).toContain(metric);
  });

  it('and the dashboard read metrics that the code writes', () => {
    const asked = JSON.stringify([template.Resources['Dashboard'], ...resourcesOf(template, 'AWS::CloudWatch::Alarm')]);
    const source = ['functions/sweep-runs.ts', 'lib/dispatch/advance.ts'].map((file) =>
      readFileSync(join(PROJECT, file), 'utf8'),
    );
    const written = [...source.join('\n').matchAll(/\badd\('(\w+)'/g)].map(([, name = '']) => name);
    expect(written.length).toBeGreaterThan(5);
    for (const name of written) expect(asked).toContain(name);
  });
});

it('no resource waits for itself', () => {
  const edges = new Map(
    Object.entries(template.Resources).map(([id, resource]) => [
      id,
      referencesIn(resource).filter((to) => to in template.Resources),
    ]),
  );
  const cycle = (id: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id];
    for (const to of edges.get(id) ?? []) {
      const found = cycle(to, [...path, id]);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  expect([...edges.keys()].map((id) => cycle(id, [])).find((found) => found !== undefined)).toBeUndefined();
});
