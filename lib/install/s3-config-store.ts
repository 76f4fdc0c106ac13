import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { awsCode, awsStatus, fromAwsError } from '../core/aws-error.ts';
import { defined } from '../core/defined.ts';
import { putIf, type Bucket } from '../run/store/s3-objects.ts';
import { CONFIG_KEY, LAST_GOOD_KEY, type ConfigEditor, type StoredConfig } from './stored-config.ts';

const YAML = 'application/yaml';

export function createS3ConfigStore({ s3, bucket }: Bucket): ConfigEditor {
  const uri = (key: string): string => `s3://${bucket}/${key}`;
  const get = async (key: string, more: object = {}): Promise<StoredConfig | 'unchanged' | undefined> => {
    try {
      const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...more }));
      const versionId = answer.VersionId === 'null' ? undefined : answer.VersionId;
      const text = (await answer.Body?.transformToString()) ?? '';
      return { text, eTag: answer.ETag ?? '', ...defined({ versionId }) };
    } catch (error) {
      if (awsStatus(error) === 304) return 'unchanged';
      if (awsCode(error) === 'NoSuchKey' || awsCode(error) === 'NoSuchVersion') return undefined;
      throw fromAwsError(error, { action: 's3:GetObject', resource: uri(key) });
    }
  };
  return {
    uri,
    read: (key, known) => get(key, defined({ IfNoneMatch: known })),
    async readVersion(versionId) {
      const found = await get(CONFIG_KEY, { VersionId: versionId });
      return found === 'unchanged' ? undefined : found;
    },
    async replace(text, before) {
      const condition = before === undefined ? 'absent' : { eTag: before.eTag };
      return (await putIf({ s3, bucket }, CONFIG_KEY, text, condition, YAML)) !== undefined;
    },
    async keepLastGood(text) {
      const put = new PutObjectCommand({ Bucket: bucket, Key: LAST_GOOD_KEY, Body: text, ContentType: YAML });
      await s3.send(put).catch((error: unknown) => {
        throw fromAwsError(error, { action: 's3:PutObject', resource: uri(LAST_GOOD_KEY) });
      });
    },
  };
}
