// What osls writes as plain values, as parameters of the stack: names, code, concurrency, processor, log retention.
const FUNCTIONS = {
  OnJarUpload: { name: 'on-jar-upload', queue: 'JarUploads', concurrency: 'AcceptConcurrency' },
  OnMessage: { name: 'on-message', queue: 'Messages', concurrency: 'AcceptConcurrency' },
  OnSchedule: { name: 'on-schedule', concurrency: 'AcceptConcurrency' },
  OnHttp: { name: 'on-http', concurrency: 'AcceptConcurrency' },
  OnPage: { name: 'on-page', concurrency: 'AcceptConcurrency' },
  AdvanceRun: { name: 'advance-run', queue: 'Runs', concurrency: 'Concurrency' },
  SweepRuns: { name: 'sweep-runs' },
};

module.exports = {
  extensions: Object.assign({}, ...Object.entries(FUNCTIONS).map(([id, one]) => extensionsOf(id, one))),
};

function extensionsOf(id, { name, queue, concurrency }) {
  const zip = `${id.charAt(0).toLowerCase()}${id.slice(1)}.zip`;
  const properties = {
    FunctionName: { 'Fn::Sub': `\${AWS::StackName}-${name}` },
    Code: { S3Bucket: { Ref: 'CodeBucket' }, S3Key: { 'Fn::Sub': `\${CodePrefix}\${CodeVersion}/${zip}` } },
    Architectures: [{ Ref: 'Architecture' }],
    ...(concurrency && { ReservedConcurrentExecutions: { Ref: concurrency } }),
  };
  const logs = {
    LogGroupName: { 'Fn::Sub': `/aws/lambda/\${AWS::StackName}-${name}` },
    RetentionInDays: { Ref: 'LogRetention' },
  };
  const mapping = queue && { ScalingConfig: { MaximumConcurrency: { Ref: concurrency } } };
  return {
    [`${id}LambdaFunction`]: { Properties: properties },
    [`${id}LogGroup`]: { Properties: logs },
    ...(mapping && { [`${id}EventSourceMappingSQS${queue}`]: { Properties: mapping } }),
  };
}
