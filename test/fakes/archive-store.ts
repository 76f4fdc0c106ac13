import type { Archive } from '../../lib/flink/archive/archive.ts';
import {
  archiveKey,
  draftKey,
  type ArchiveName,
  type ArchiveStore,
} from '../../lib/run/store/history/archive-store.ts';
import { Faults } from './faults.ts';

export class FakeArchiveStore implements ArchiveStore {
  readonly faults = new Faults<keyof ArchiveStore>();
  /** By key. */
  readonly kept = new Map<string, Archive>();

  draft(name: ArchiveName, archive: Archive): Promise<void> {
    return this.faults.around('draft', () => void this.kept.set(draftKey(name), new Map(archive)));
  }

  readDraft(name: ArchiveName): Promise<Archive | undefined> {
    return this.faults.around('readDraft', () => this.kept.get(draftKey(name)));
  }

  keep(name: ArchiveName, archive: Archive): Promise<void> {
    return this.faults.around('keep', () => void this.kept.set(archiveKey(name), new Map(archive)));
  }

  read = (name: ArchiveName): Promise<Archive | undefined> =>
    Promise.resolve(this.kept.get(archiveKey(name)) ?? this.kept.get(draftKey(name)));
}
