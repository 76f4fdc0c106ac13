import { DispatchError } from '../../core/errors.ts';
import { redactDocument } from '../../core/redaction/document.ts';
import {
  evidencePrefix,
  reportKey,
  type EvidenceStore,
  type ReadEvidence,
  type ReportStore,
} from './evidence-store.ts';
import { getText, putObject, type Bucket } from './s3-objects.ts';

/** A file name, in folders or not; no segment begins with a dot. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export function createS3EvidenceStore(bucket: Bucket): EvidenceStore & ReportStore {
  return {
    async put(runId, attempt, name, content, contentType) {
      if (!NAME.test(name) || name.length > 200) {
        throw new DispatchError(
          'Internal',
          `'${name}' cannot name evidence: use letters, digits, '.', '_', '-' and '/'`,
        );
      }
      const body = typeof content === 'string' ? redactDocument(content, contentType) : content;
      const key = evidencePrefix(runId, attempt) + name;
      await putObject(bucket, key, body, contentType);
      return `s3://${bucket.bucket}/${key}`;
    },
    putReport: (runId, html) => putObject(bucket, reportKey(runId), html, 'text/html; charset=utf-8'),
  };
}

export function createS3EvidenceReader(bucket: Bucket): ReadEvidence {
  return async (runId, attempt, name) => (await getText(bucket, evidencePrefix(runId, attempt) + name))?.text;
}
