import { PutObjectCommand } from '@aws-sdk/client-s3';
import { fromAwsError } from '../../core/aws-error.ts';
import { DispatchError } from '../../core/errors.ts';
import { redactDocument } from '../../core/redaction/document.ts';
import {
  evidencePrefix,
  reportKey,
  type EvidenceStore,
  type ReadEvidence,
  type ReportStore,
} from './evidence-store.ts';
import { getText, type Bucket } from './s3-objects.ts';

/** A file name, in folders or not; no segment begins with a dot. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export function createS3EvidenceStore({ s3, bucket }: Bucket): EvidenceStore & ReportStore {
  const write = async (key: string, body: string | Uint8Array, contentType: string): Promise<string> => {
    const uri = `s3://${bucket}/${key}`;
    try {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }));
    } catch (error) {
      throw fromAwsError(error, { action: 's3:PutObject', resource: uri });
    }
    return uri;
  };
  return {
    async put(runId, attempt, name, content, contentType) {
      if (!NAME.test(name) || name.length > 200) {
        throw new DispatchError(
          'Internal',
          `'${name}' cannot name evidence: use letters, digits, '.', '_', '-' and '/'`,
        );
      }
      const body = typeof content === 'string' ? redactDocument(content, contentType) : content;
      return write(evidencePrefix(runId, attempt) + name, body, contentType);
    },
    async putReport(runId, html) {
      await write(reportKey(runId), html, 'text/html; charset=utf-8');
    },
  };
}

export function createS3EvidenceReader(bucket: Bucket): ReadEvidence {
  return async (runId, attempt, name) => (await getText(bucket, evidencePrefix(runId, attempt) + name))?.text;
}
