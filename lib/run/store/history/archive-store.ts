import type { RunId } from '../../../core/ids.ts';
import type { Archive } from '../../../flink/archive/archive.ts';

/** Whose archive it is. */
export interface ArchiveName {
  readonly runId: RunId;
  readonly tenant?: string;
  readonly attempt: number;
  readonly jobId: string;
}

/**
 * What JobManagers told of jobs, in the form that Flink's HistoryServer takes. A draft is of a job that goes on: the
 * HistoryServer, which reads a file once, does not see it. Methods throw DispatchError `StorageUnavailable`,
 * `PermissionDenied`; a write again replaces what was written.
 */
export interface ArchiveStore {
  draft(name: ArchiveName, archive: Archive): Promise<void>;
  readDraft(name: ArchiveName): Promise<Archive | undefined>;
  /** Of a job that has ended. */
  keep(name: ArchiveName, archive: Archive): Promise<void>;
}

/** The archive of a job, else its draft; undefined where there is neither. @throws DispatchError as ArchiveStore */
export type ReadArchive = (name: ArchiveName) => Promise<Archive | undefined>;

/** What `historyserver.archive.fs.dir` names: of a tenant's jobs a folder of its own. */
export function archiveKey({ tenant, jobId }: ArchiveName): string {
  return `archive/${tenant === undefined ? '' : `${tenant}/`}${jobId}`;
}

export function draftKey({ runId, attempt, jobId }: ArchiveName): string {
  return `runs/${runId}/archive/${attempt}/${jobId}.json`;
}
