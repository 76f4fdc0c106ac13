import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import type { AwsStub } from 'aws-sdk-client-mock';
import { FakeS3 } from '../../../../test/fakes/s3.ts';

/** Lets the mocked client work on an S3 in memory, whose bucket is `ledger`. */
export function serveS3(stub: AwsStub<ServiceInputTypes, ServiceOutputTypes, S3ClientResolvedConfig>): FakeS3 {
  const fake = new FakeS3();
  const { s3 } = fake.bucket;
  stub.reset();
  stub
    .on(GetObjectCommand)
    .callsFake((input: ConstructorParameters<typeof GetObjectCommand>[0]) => s3.send(new GetObjectCommand(input)));
  stub
    .on(PutObjectCommand)
    .callsFake((input: ConstructorParameters<typeof PutObjectCommand>[0]) => s3.send(new PutObjectCommand(input)));
  stub
    .on(DeleteObjectCommand)
    .callsFake((input: ConstructorParameters<typeof DeleteObjectCommand>[0]) =>
      s3.send(new DeleteObjectCommand(input)),
    );
  stub
    .on(ListObjectsV2Command)
    .callsFake((input: ConstructorParameters<typeof ListObjectsV2Command>[0]) =>
      s3.send(new ListObjectsV2Command(input)),
    );
  return fake;
}
