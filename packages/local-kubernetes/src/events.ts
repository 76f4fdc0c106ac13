import type { KubeObject } from './objects.ts';
import { EVENTS } from './resources.ts';
import type { Store } from './store.ts';

export interface Happening {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly fieldPath?: string;
}

/** Writes core/v1 events; the same happening again raises its count. */
export class EventRecorder {
  readonly #store: Store;
  readonly #component: string;

  constructor(store: Store, component: string) {
    this.#store = store;
    this.#component = component;
  }

  record(about: KubeObject, happening: Happening): void {
    const namespace = about.metadata.namespace ?? 'default';
    const now = this.#store.now();
    const same = this.#store.list(EVENTS, namespace).find((event) => isSame(event, about, happening));
    if (same !== undefined) {
      this.#store.modify(EVENTS, same, (draft) => {
        draft['count'] = Number(draft['count']) + 1;
        draft['lastTimestamp'] = now;
      });
      return;
    }
    const { name, uid, resourceVersion } = about.metadata;
    const { fieldPath, ...rest } = happening;
    const unique = `${name}.${Date.now().toString(16)}${process.hrtime()[1].toString(16).padStart(8, '0')}`;
    this.#store.create(EVENTS, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: unique, namespace, uid: '', resourceVersion: '', creationTimestamp: '' },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        namespace,
        uid,
        resourceVersion,
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      ...rest,
      source: { component: this.#component },
      reportingComponent: this.#component,
      reportingInstance: '',
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    });
  }
}

function isSame(event: KubeObject, about: KubeObject, happening: Happening): boolean {
  const involved = event['involvedObject'] as { uid: string };
  const { reason, message } = happening;
  return involved.uid === about.metadata.uid && event['reason'] === reason && event['message'] === message;
}
