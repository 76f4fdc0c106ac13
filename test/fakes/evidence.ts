import type { RunId } from '../../lib/core/ids.ts';
import { evidencePrefix, reportKey, type EvidenceStore, type ReportStore } from '../../lib/run/store/evidence-store.ts';
import { redactDocument } from '../../lib/core/redaction/document.ts';
import { Faults } from './faults.ts';

export class FakeEvidenceStore implements EvidenceStore, ReportStore {
  readonly faults = new Faults<keyof (EvidenceStore & ReportStore)>();
  /** Content by `s3://ledger/…` URI. */
  readonly files = new Map<string, string | Uint8Array>();
  puts = 0;

  put(runId: RunId, attempt: number, name: string, content: string | Uint8Array, contentType: string): Promise<string> {
    this.puts += 1;
    return this.faults.around('put', () => {
      const uri = `s3://ledger/${evidencePrefix(runId, attempt)}${name}`;
      this.files.set(uri, typeof content === 'string' ? redactDocument(content, contentType) : content);
      return uri;
    });
  }

  putReport(runId: RunId, html: string): Promise<void> {
    return this.faults.around('putReport', () => void this.files.set(`s3://ledger/${reportKey(runId)}`, html));
  }
}
