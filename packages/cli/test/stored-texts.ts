import {
  GetObjectCommand,
  NoSuchKey,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import type { AwsStub } from 'aws-sdk-client-mock';

type S3Stub = AwsStub<ServiceInputTypes, ServiceOutputTypes, S3ClientResolvedConfig>;

/** Objects by key, as S3 gives them. */
export function serve(s3: S3Stub, objects: ReadonlyMap<string, string>): void {
  s3.on(GetObjectCommand).callsFake(({ Key = '' }: { Key: string }) => {
    const text = objects.get(Key);
    if (text === undefined) throw new NoSuchKey({ message: 'no such key', $metadata: { httpStatusCode: 404 } });
    return { Body: { transformToString: () => Promise.resolve(text) }, ETag: '"1"' };
  });
}
