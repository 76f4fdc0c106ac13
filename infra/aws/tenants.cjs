// What AWS has for each tenant of the configuration: the mapping of its queues, the rule for uploads into its buckets, and for
// its schedules a group, a role that only schedules of that group get, and the alias of the function that only this role may
// call. The alias is how the function knows who calls.
module.exports = { tenantResources, sourcesOf };

function tenantResources(config, own) {
  return { ...ofTenants(config, own), ...uploadRule(config, own) };
}

function ofTenants(config, { stack }) {
  return Object.fromEntries(
    Object.entries(config?.tenants ?? {}).flatMap(([name, tenant]) => {
      const id = `Tenant${name.replace(/(^|-)([a-z0-9])/g, (_, __, letter) => letter.toUpperCase())}`;
      const queues = sourcesOf(tenant, 'queue').filter((arn) => !arn.endsWith(`:${stack}-messages`));
      return [
        ...queues.map((arn, index) => [`${id}Queue${index}`, mapping(arn)]),
        ...sourcesOf(tenant, 'scheduleGroup').flatMap((group, index) => schedules(`${id}Schedules${index}`, group)),
      ];
    }),
  );
}

/** Values of one kind of source. */
function sourcesOf(tenant, kind) {
  return sourcesWith(tenant, kind).map((source) => source[kind]);
}

function sourcesWith(tenant, kind) {
  const sources = Array.isArray(tenant?.sources) ? tenant.sources : [];
  return sources.filter((source) => typeof source?.[kind] === 'string');
}

/** Uploads into buckets that the deployment does not make, nor listens to already: they send their events to EventBridge. */
function uploadRule(config, { stack, jarBucket }) {
  const isOwn = (bucket) => bucket === jarBucket || (!jarBucket && new RegExp(`^${stack}-jars-\\d{12}$`).test(bucket));
  const folders = Object.values(config?.tenants ?? {})
    .flatMap((tenant) => sourcesWith(tenant, 'bucket'))
    .filter(({ bucket }) => !isOwn(bucket))
    .map(({ bucket, prefix = '' }) => ({
      bucket: { name: [bucket] },
      object: { key: [{ wildcard: `${prefix.replace(/[\\*]/g, '\\$&')}*.jar` }] },
    }));
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

function mapping(arn) {
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

function schedules(id, group) {
  const schedulerArn = 'arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}';
  const statement = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
  const failed = { 'Fn::GetAtt': ['SchedulesFailed', 'Arn'] };
  return [
    [`${id}Group`, { Type: 'AWS::Scheduler::ScheduleGroup', Properties: { Name: group } }],
    [
      `${id}Alias`,
      {
        Type: 'AWS::Lambda::Alias',
        Properties: { FunctionName: { Ref: 'OnScheduleLambdaFunction' }, FunctionVersion: '$LATEST', Name: group },
      },
    ],
    [
      `${id}Role`,
      {
        Type: 'AWS::IAM::Role',
        Properties: {
          AssumeRolePolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { Service: 'scheduler.amazonaws.com' },
                Action: 'sts:AssumeRole',
                Condition: {
                  StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
                  ArnEquals: { 'aws:SourceArn': { 'Fn::Sub': `${schedulerArn}:schedule-group/${group}` } },
                },
              },
            ],
          },
          Policies: [
            {
              PolicyName: 'fire',
              PolicyDocument: {
                Version: '2012-10-17',
                Statement: [
                  statement('lambda:InvokeFunction', { Ref: `${id}Alias` }),
                  statement('sqs:SendMessage', failed),
                ],
              },
            },
          ],
        },
      },
    ],
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
          DestinationConfig: { OnFailure: { Destination: failed } },
        },
      },
    ],
  ];
}
