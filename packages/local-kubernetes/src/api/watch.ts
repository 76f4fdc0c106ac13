import { ApiError } from '../errors.ts';
import type { KubeObject } from '../objects.ts';
import type { Change, Store } from '../store.ts';
import { selectionOf } from './read.ts';
import type { Target } from './request.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** Where watch events go: lines of a response, or frames of a web socket. */
export interface WatchSink {
  send(event: WatchEvent): void;
  close(): void;
  readonly closed: AbortSignal;
}

const BOOKMARK_INTERVAL = 60_000;

/** What a change is to somebody who sees only the selected objects. */
function seen(change: Change, selects: (object: KubeObject) => boolean): WatchEvent | undefined {
  const now = selects(change.object);
  const before = change.previous === undefined ? now : selects(change.previous);
  if (change.type !== 'MODIFIED') return now ? { type: change.type, object: change.object } : undefined;
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object: change.object };
  return before ? { type: 'DELETED', object: change.object } : undefined;
}

/** Sends what there is (without a resourceVersion, or with 0), then every change, until the sink or the time ends. */
export function watch(store: Store, target: Target, query: URLSearchParams, sink: WatchSink): void {
  const selects = selectionOf(target, query);
  const version = query.get('resourceVersion') ?? '';
  const pass = (change: Change): void => {
    const event = change.resource === target.resource ? seen(change, selects) : undefined;
    if (event !== undefined) sink.send(event);
  };
  if (version === '' || version === '0') {
    for (const object of store.list(target.resource).filter(selects)) sink.send({ type: 'ADDED', object });
    if (query.get('sendInitialEvents') === 'true') sink.send(bookmark(store, target, true));
  } else {
    try {
      for (const change of store.since(Number(version))) pass(change);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      sink.send({ type: 'ERROR', object: error.toStatus() });
      sink.close();
      return;
    }
  }
  const timers: NodeJS.Timeout[] = [];
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  if (seconds > 0)
    timers.push(
      setTimeout(() => {
        sink.close();
      }, seconds * 1000),
    );
  if (query.get('allowWatchBookmarks') === 'true') {
    timers.push(
      setInterval(() => {
        sink.send(bookmark(store, target, false));
      }, BOOKMARK_INTERVAL),
    );
  }
  const unsubscribe = store.subscribe(pass);
  const stop = (): void => {
    unsubscribe();
    for (const timer of timers) clearInterval(timer);
  };
  if (sink.closed.aborted) stop();
  else sink.closed.addEventListener('abort', stop, { once: true });
}

function bookmark(store: Store, { resource, apiVersion }: Target, initial: boolean): WatchEvent {
  const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(store.version), creationTimestamp: null, ...annotations };
  return { type: 'BOOKMARK', object: { kind: resource.kind, apiVersion, metadata } };
}
