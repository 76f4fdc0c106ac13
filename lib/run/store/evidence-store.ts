import type { RunId } from '../../core/ids.ts';

/** What is kept of an attempt for a person to read: log tails, REST answers, pods and events. */
export interface EvidenceStore {
  /**
   * Writes `runs/<runId>/evidence/<attempt>/<name>` and answers its `s3://` URI. Text is redacted, bytes are not.
   * Writing the same name again replaces it.
   * @throws DispatchError `StorageUnavailable`, `PermissionDenied`; `Internal` for a name that is no plain file name.
   */
  put(runId: RunId, attempt: number, name: string, content: string | Uint8Array, contentType: string): Promise<string>;
}

/** What is kept of a run as a whole. */
export interface ReportStore {
  /**
   * Writes `runs/<runId>/report.html`, or replaces it. The text is without secrets already.
   * @throws DispatchError as `EvidenceStore.put`
   */
  putReport(runId: RunId, html: string): Promise<void>;
}

/** The text of a piece of evidence; undefined when it is gone. @throws DispatchError as `put` */
export type ReadEvidence = (runId: RunId, attempt: number, name: string) => Promise<string | undefined>;

export function reportKey(runId: RunId): string {
  return `runs/${runId}/report.html`;
}

/** The key prefix of a run's evidence in the ledger bucket. */
export function evidencePrefix(runId: RunId, attempt?: number): string {
  return `runs/${runId}/evidence/${attempt === undefined ? '' : `${attempt}/`}`;
}
