import type { Pod } from '../objects.ts';
import type { Change } from '../store.ts';
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

/** The one node: it runs the pods that the API server has. */
export interface Node {
  onChange(change: Change): void;
  /** `undefined` for a pod that it does not run. */
  runner(pod: Pod): PodLogs | undefined;
  stop(): Promise<void>;
}

export interface PodLogs {
  /** Of the container's incarnation, or of the one before. */
  logFile(container: string, previous: boolean): string | undefined;
  isRunning(container: string): boolean;
}

export const NODE_NAME = 'local';
export const NODE_IP = '127.0.0.1';
