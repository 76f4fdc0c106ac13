import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type BucketLocationConstraint,
} from '@aws-sdk/client-s3';
import { awsStatus } from '../../../../lib/core/aws-error.ts';
import type { Template } from '../../../../lib/install/template.ts';
import { UsageError } from '../flags/usage.ts';
import { asked, type InstallClients } from './clients.ts';
import type { Release } from './release.ts';

/** Where CloudFormation and Lambda take a release from. */
export interface CodePlace {
  readonly bucket: string;
  /** It ends with a slash. */
  readonly prefix: string;
  /** Whose bucket it has to be: names of buckets can be guessed, and are anybody's who is first. */
  readonly account: string;
}

/** One for all installations of an account in a region. */
export function codeBucketName(account: string, region: string): string {
  return `flink-dispatch-code-${account}-${region}`;
}

/** @throws UsageError when it is another account's */
export async function bucketIsThere(bucket: string, account: string, { s3, env }: InstallClients): Promise<boolean> {
  const head = s3.send(new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: account }));
  const found = head.then(
    () => true,
    (error: unknown) => {
      if (awsStatus(error) === 404) return false;
      if (awsStatus(error) !== 403) throw error;
      throw new UsageError(`the bucket ${bucket} is not of the account ${account}, or may not be looked at`);
    },
  );
  return asked(`s3:ListBucket on ${bucket}`, found, env);
}

/** Private, as new buckets are, and closed to what is not encrypted on its way. */
export async function makeCodeBucket(bucket: string, region: string, { s3, env }: InstallClients): Promise<void> {
  const place = { LocationConstraint: region as BucketLocationConstraint };
  const create = new CreateBucketCommand({
    Bucket: bucket,
    ...(region === 'us-east-1' ? {} : { CreateBucketConfiguration: place }),
  });
  await asked(`s3:CreateBucket of ${bucket}`, s3.send(create), env);
  const partition = region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
  const arn = `arn:${partition}:s3:::${bucket}`;
  const statement = {
    ...{ Sid: 'TlsOnly', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [arn, `${arn}/*`] },
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await asked(`s3:PutBucketPolicy on ${bucket}`, s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy })), env);
}

/** Zips that are not there yet: a key names what it holds. */
export async function uploadZips({ version, zips }: Release, place: CodePlace, clients: InstallClients): Promise<void> {
  for (const { name, bytes } of zips) {
    const key = `${place.prefix}${version}/${name}`;
    if (!(await isStored(key, bytes.length, place, clients))) await upload(key, bytes, place, clients);
  }
}

/** Too large for a request of CloudFormation, so that it is read from S3. Answers its URL. */
export async function uploadTemplate(template: Template, place: CodePlace, clients: InstallClients): Promise<string> {
  const text = JSON.stringify(template);
  const sum = createHash('sha256').update(text).digest('hex').slice(0, 16);
  const key = `${place.prefix}templates/${sum}.json`;
  await upload(key, text, place, clients);
  const { endpoint } = clients;
  if (endpoint !== undefined) return `${endpoint}/${place.bucket}/${key}`;
  const region = await clients.s3.config.region();
  return `https://${place.bucket}.s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/${key}`;
}

async function isStored(key: string, size: number, place: CodePlace, { s3, env }: InstallClients): Promise<boolean> {
  const input = { Bucket: place.bucket, Key: key, ExpectedBucketOwner: place.account };
  const found = s3.send(new HeadObjectCommand(input)).then(
    ({ ContentLength }) => ContentLength === size,
    (error: unknown) => {
      if (awsStatus(error) === 404) return false;
      throw error;
    },
  );
  return asked(`s3:GetObject on s3://${place.bucket}/${key}`, found, env);
}

async function upload(
  key: string,
  Body: Uint8Array | string,
  { bucket, account }: CodePlace,
  { s3, env }: InstallClients,
): Promise<void> {
  const put = new PutObjectCommand({ Bucket: bucket, Key: key, Body, ExpectedBucketOwner: account });
  await asked(`s3:PutObject on s3://${bucket}/${key}`, s3.send(put), env);
}
