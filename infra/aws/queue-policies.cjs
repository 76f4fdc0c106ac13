// No queue takes a request that is not encrypted on its way. JarUploads has its policy beside it, with what may send there.
const QUEUES = [
  'JarUploadsFailed',
  'Messages',
  'MessagesFailed',
  'Runs',
  'RunsFailed',
  'SchedulesFailed',
  'DeadLetters',
];

module.exports = { Resources: Object.fromEntries(QUEUES.map((queue) => [`${queue}Policy`, policyOf(queue)])) };

function policyOf(queue) {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Metadata: { Justified: { TlsOnly: 'It denies all that is not encrypted on its way: whoever asks, for whatever' } },
    Properties: {
      Queues: [{ Ref: queue }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Sid: 'TlsOnly',
            Effect: 'Deny',
            Principal: '*',
            Action: 'sqs:*',
            Resource: { 'Fn::GetAtt': [queue, 'Arn'] },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          },
        ],
      },
    },
  };
}
