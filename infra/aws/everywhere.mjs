// A plugin of osls: gives every resource of a kind what parameters may ask of all of them (infra/aws/platform.yml), so that none is
// forgotten.
const NONE = { Ref: 'AWS::NoValue' };
const KEY = { Ref: 'KmsKeyArn' };
const withKey = (value, otherwise = NONE) => ({ 'Fn::If': ['HasKmsKey', value, otherwise] });

const ENCRYPTION = {
  ServerSideEncryptionByDefault: {
    SSEAlgorithm: withKey('aws:kms', 'AES256'),
    KMSMasterKeyID: withKey(KEY),
  },
  // One request to KMS for many objects.
  BucketKeyEnabled: withKey(true),
};

const EVERY = {
  'AWS::IAM::Role': {
    PermissionsBoundary: { 'Fn::If': ['HasPermissionsBoundary', { Ref: 'PermissionsBoundary' }, NONE] },
  },
  'AWS::S3::Bucket': { BucketEncryption: { ServerSideEncryptionConfiguration: [ENCRYPTION] } },
  'AWS::SQS::Queue': { SqsManagedSseEnabled: withKey(NONE, true), KmsMasterKeyId: withKey(KEY) },
  'AWS::Events::EventBus': { KmsKeyIdentifier: withKey(KEY) },
  'AWS::Logs::LogGroup': { KmsKeyId: withKey(KEY) },
  'AWS::Lambda::Function': {
    KmsKeyArn: withKey(KEY),
    TracingConfig: { Mode: { 'Fn::If': ['HasTracing', 'Active', 'PassThrough'] } },
  },
};

export default class Everywhere {
  constructor({ service }) {
    this.hooks = {
      'after:aws:package:finalize:mergeCustomProviderResources': () => {
        for (const resource of Object.values(service.provider.compiledCloudFormationTemplate.Resources))
          resource.Properties = { ...resource.Properties, ...EVERY[resource.Type] };
      },
    };
  }
}
