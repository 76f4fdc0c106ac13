import type { EventRecorder } from '../events.ts';
import type { Store } from '../store.ts';
import type { Addresses } from './addresses.ts';
import type { Images } from './images.ts';
import type { Reaper } from './reaper.ts';

/** Waits between restarts and between pulls, in milliseconds; doubled each time. */
export interface BackOff {
  readonly first: number;
  readonly most: number;
}

/** What the pods of the one node share. */
export interface NodeServices {
  readonly store: Store;
  readonly events: EventRecorder;
  readonly images: Images;
  readonly addresses: Addresses;
  readonly reaper: Reaper;
  /** Folder with one folder for each pod. */
  readonly podsFolder: string;
  readonly claimsFolder: string;
  readonly backOff: BackOff;
  /** A kubeconfig whose default namespace is the pod's. */
  readonly kubeconfig: (namespace: string) => string;
  readonly onError: (error: unknown) => void;
}

export const NODE_NAME = 'local';
export const NODE_IP = '127.0.0.1';
