import { DispatchError } from '../../lib/core/errors.ts';
import type { SnapshotContent } from '../../lib/state/metadata/read-metadata.ts';
import { below, isBelow, type StateStorage, type StateStorages, type StoredState } from '../../lib/state/storage.ts';
import { Faults } from './faults.ts';

/** Storage in memory: what Flink would have written stands in `complete`, by its directory. */
export class FakeStateStorage implements StateStorage {
  readonly faults = new Faults<keyof StateStorage>();
  readonly complete = new Map<string, StoredState>();
  /** Paths that were asked for, by method. */
  readonly asked: string[] = [];
  private readonly allowed: readonly string[];

  constructor(allowed: readonly string[] = ['s3://state']) {
    this.allowed = allowed;
  }

  get storages(): StateStorages {
    return (uri) => {
      if (!/^s3[ap]?:\/\/./.test(uri)) throw new DispatchError('StateStorageDenied', `${uri} is in no storage`);
      return this;
    };
  }

  look(path: string): Promise<StoredState | undefined> {
    return this.ask('look', path, () => this.complete.get(withoutSlash(path)));
  }

  content(path: string): Promise<SnapshotContent | undefined> {
    return this.ask('content', path, () => {
      const state = this.complete.get(withoutSlash(path));
      return state && { version: 4, checkpointId: state.checkpointId, operators: [] };
    });
  }

  savepoints(directory: string): ReturnType<StateStorage['savepoints']> {
    return this.ask('savepoints', directory, () => this.foldersOf(directory));
  }

  savepointsBelow(directory: string, start: string): ReturnType<StateStorage['savepointsBelow']> {
    return this.ask('savepointsBelow', directory, () => {
      const from = `${withoutSlash(directory)}/${start}`;
      const folders = [...this.complete.keys()].filter((path) => path.startsWith(from));
      return [...new Set(folders.map((path) => path.split('/').slice(0, -1).join('/')))].flatMap((folder) =>
        this.foldersOf(folder),
      );
    });
  }

  checkpoints(directory: string, jobId: string): ReturnType<StateStorage['checkpoints']> {
    return this.ask('checkpoints', directory, () => {
      const found = this.foldersOf(below(directory, jobId)).flatMap((one) => {
        const number = /\/chk-(\d+)$/.exec(one.path)?.[1];
        return number === undefined ? [] : [{ ...one, number: Number(number) }];
      });
      return found.sort((a, b) => b.number - a.number);
    });
  }

  remove(path: string): Promise<void> {
    return this.ask('remove', path, () => {
      for (const known of [...this.complete.keys()]) if (isBelow(known, path)) this.complete.delete(known);
    });
  }

  private foldersOf(directory: string): (StoredState & { readonly path: string })[] {
    const start = `${withoutSlash(directory)}/`;
    return [...this.complete]
      .filter(([path]) => path.startsWith(start) && !path.slice(start.length).includes('/'))
      .map(([path, state]) => ({ path, ...state }));
  }

  private ask<T>(method: keyof StateStorage, path: string, act: () => T): Promise<T> {
    return this.faults.around(method, () => {
      this.asked.push(`${method} ${path}`);
      if (!this.allowed.some((prefix) => isBelow(path, prefix))) {
        throw new DispatchError('StateStorageDenied', `${path} is not in allow.stateStorage`);
      }
      return act();
    });
  }
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}
