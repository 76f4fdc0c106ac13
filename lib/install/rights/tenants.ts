import type { TenantConfig, TenantSource } from '../../job/config/tenant-config.ts';
import { PROGRAM_ENDINGS } from '../../trigger/program-file.ts';
import { allow, type Resource, type Resources, type StackNames } from './template-part.ts';

type Tenants = Readonly<Record<string, TenantConfig>>;

/**
 * What AWS has for each tenant: the mapping of its queues, the rule for uploads into its buckets, and for its schedules a group,
 * a role that only schedules of that group get, and the alias of the function that only this role may call. The alias is how the
 * function knows who calls.
 */
export function tenantResources(tenants: Tenants, names: StackNames): Resources {
  return { ...ofTenants(tenants, names), ...uploadRule(tenants, names) };
}

/** Values of one kind of source. */
export function sourcesOf({ sources }: TenantConfig, kind: 'bucket' | 'queue' | 'scheduleGroup'): readonly string[] {
  return sources.flatMap((source) => source[kind] ?? []);
}

function ofTenants(tenants: Tenants, { stack }: StackNames): Resources {
  const entries = Object.entries(tenants).flatMap(([name, tenant]) => {
    const id = `Tenant${name.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase())}`;
    const queues = sourcesOf(tenant, 'queue').filter((arn) => !arn.endsWith(`:${stack}-messages`));
    return [
      ...queues.map((arn, index) => [`${id}Queue${index}`, mapping(arn)] as const),
      ...sourcesOf(tenant, 'scheduleGroup').flatMap((group, index) => schedules(`${id}Schedules${index}`, group)),
    ];
  });
  return Object.fromEntries(entries);
}

/** Uploads into buckets that the stack does not make, nor listens to already: they send their events to EventBridge. */
function uploadRule(tenants: Tenants, { stack, jarBucket }: StackNames): Resources {
  const isOwn = (bucket: string): boolean =>
    bucket === jarBucket || (!jarBucket && new RegExp(`^${stack}-jars-\\d{12}$`).test(bucket));
  const folders = Object.values(tenants)
    .flatMap(({ sources }) => sources)
    .filter((source): source is TenantSource & { bucket: string } => source.bucket !== undefined)
    .filter(({ bucket }) => !isOwn(bucket))
    .map(({ bucket, prefix = '' }) => {
      const folder = prefix.replace(/[\\*]/g, '\\$&');
      const key = PROGRAM_ENDINGS.map((ending) => ({ wildcard: `${folder}*${ending}` }));
      return { bucket: { name: [bucket] }, object: { key } };
    });
  if (folders.length === 0) return {};
  return {
    TenantJarUploadRule: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Name: { 'Fn::Sub': '${AWS::StackName}-jar-uploads-of-tenants' },
        Description: 'Jars uploaded to folders of tenants, in buckets that this deployment does not own',
        EventPattern: { source: ['aws.s3'], 'detail-type': ['Object Created'], detail: { $or: folders } },
        Targets: [{ Id: 'jar-uploads', Arn: { 'Fn::GetAtt': ['JarUploads', 'Arn'] } }],
      },
    },
  };
}

function mapping(arn: string): Resource {
  return {
    Type: 'AWS::Lambda::EventSourceMapping',
    Properties: {
      EventSourceArn: arn,
      FunctionName: { Ref: 'OnMessageLambdaFunction' },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      // No tenant's messages take all of the function.
      ScalingConfig: { MaximumConcurrency: 5 },
    },
  };
}

const FAILED = { 'Fn::GetAtt': ['SchedulesFailed', 'Arn'] };

function schedules(id: string, group: string): readonly (readonly [string, Resource])[] {
  return [
    [`${id}Group`, { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: group } }],
    [
      `${id}Alias`,
      {
        Type: 'AWS::Lambda::Alias',
        Properties: { FunctionName: { Ref: 'OnScheduleLambdaFunction' }, FunctionVersion: '$LATEST', Name: group },
      },
    ],
    [`${id}Role`, scheduleRole(`${id}Alias`, group)],
    [
      `${id}Invoke`,
      {
        Type: 'AWS::Lambda::EventInvokeConfig',
        DependsOn: `${id}Alias`,
        Properties: {
          FunctionName: { Ref: 'OnScheduleLambdaFunction' },
          Qualifier: group,
          MaximumRetryAttempts: 2,
          MaximumEventAgeInSeconds: 21600,
          DestinationConfig: { OnFailure: { Destination: FAILED } },
        },
      },
    ],
  ];
}

function scheduleRole(alias: string, group: string): Resource {
  const source = `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule-group/${group}`;
  const trust = {
    Effect: 'Allow',
    Principal: { Service: 'scheduler.amazonaws.com' },
    Action: 'sts:AssumeRole',
    Condition: {
      StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
      ArnEquals: { 'aws:SourceArn': { 'Fn::Sub': source } },
    },
  };
  const fire = [allow(['lambda:InvokeFunction'], [{ Ref: alias }]), allow(['sqs:SendMessage'], [FAILED])];
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: { Version: '2012-10-17', Statement: [trust] },
      Policies: [{ PolicyName: 'fire', PolicyDocument: { Version: '2012-10-17', Statement: fire } }],
    },
  };
}
