import { describe, expect, it } from 'vitest';
import { readTemplate, statements } from './template.ts';

const template = readTemplate();

/** Why a statement may say `*`. */
const JUSTIFIED: Readonly<Record<string, string>> = {
  'JarBucketPolicy/TlsOnly': 'denies all that is not encrypted on its way: whoever asks, for whatever',
  'LedgerBucketPolicy/TlsOnly': 'denies all that is not encrypted on its way: whoever asks, for whatever',
};

function queueOf(arn: unknown): string {
  return String((arn as { readonly 'Fn::GetAtt': string })['Fn::GetAtt']).replace('.Arn', '');
}

describe('policies', () => {
  it('name what they allow', () => {
    const broad = statements(template).filter(
      ({ id, actions, resources }) =>
        JUSTIFIED[id] === undefined && (actions.some((action) => action.includes('*')) || resources.includes('*')),
    );
    expect(broad).toEqual([]);
  });

  it('justify nothing that is not there', () => {
    const ids = new Set(statements(template).map(({ id }) => id));
    expect(Object.keys(JUSTIFIED).filter((id) => !ids.has(id))).toEqual([]);
  });

  it('justify nothing that is allowed', () => {
    const allowed = statements(template).filter(({ id, effect }) => JUSTIFIED[id] !== undefined && effect !== 'Deny');
    expect(allowed).toEqual([]);
  });
});

describe('functions', () => {
  const functions = Object.entries(template.functions);

  it('have a role each', () => {
    const roles = functions.map(([, { role }]) => JSON.stringify(role));
    expect(functions).toHaveLength(5);
    expect(new Set(roles).size).toBe(functions.length);
  });

  it.each(functions)('%s gets messages back when it is dead, and reports each by itself', (_name, config) => {
    for (const { sqs } of config.events ?? []) {
      const queue = template.resources[queueOf(sqs.arn)]?.Properties;
      expect(queue?.['VisibilityTimeout']).toBe(6 * config.timeout);
      expect(queue?.['RedrivePolicy']).toMatchObject({ maxReceiveCount: 5 });
      expect(sqs.functionResponseType).toBe('ReportBatchItemFailures');
    }
  });
});

describe('storage', () => {
  const ofType = (type: string): [string, Readonly<Record<string, unknown>>][] =>
    Object.entries(template.resources).flatMap(([id, { Type, Properties }]) =>
      Type === type ? [[id, Properties]] : [],
    );

  it.each(ofType('AWS::S3::Bucket'))('bucket %s is versioned, encrypted, private and TLS only', (id, properties) => {
    expect(properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      PublicAccessBlockConfiguration: { BlockPublicPolicy: true, RestrictPublicBuckets: true },
    });
    expect(properties['BucketEncryption']).toBeDefined();
    expect(statements(template)).toContainEqual(expect.objectContaining({ id: `${id}Policy/TlsOnly`, effect: 'Deny' }));
  });

  it.each(ofType('AWS::SQS::Queue'))('queue %s is encrypted and keeps messages for 14 days', (_id, properties) => {
    expect(properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
  });
});
