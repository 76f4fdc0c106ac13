import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { fromAwsError } from '../../../lib/core/aws-error.ts';
import { defined } from '../../../lib/core/defined.ts';

/** The names of at least `most` folders below a prefix, of those that are ids, or of all. */
export async function foldersBelow<Id extends string>(
  { s3, bucket, prefix }: { readonly s3: S3Client; readonly bucket: string; readonly prefix: string },
  isId: (name: string) => name is Id,
  most: number,
): Promise<readonly Id[]> {
  const found: Id[] = [];
  let token: string | undefined;
  do {
    const from = defined({ ContinuationToken: token });
    const page = await s3
      .send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: '/', ...from }))
      .catch((error: unknown) => {
        throw fromAwsError(error, { action: 's3:ListBucket', resource: `s3://${bucket}` });
      });
    const names = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix.slice(prefix.length, -1));
    found.push(...names.filter((name): name is Id => isId(name)));
    token = page.NextContinuationToken;
  } while (token !== undefined && found.length < most);
  return found;
}
