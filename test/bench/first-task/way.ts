import type { Tenant } from '../../cluster/support/tenant.ts';
import type { Storage } from '../../cluster/support/s3.ts';

/** Where clusters are started, and what they may use. */
export interface Place {
  readonly flink: string;
  readonly image: string;
  /** Cores of the JobManager, and of the TaskManager. */
  readonly cores: number;
  readonly tenant: Tenant;
  readonly storage: Storage;
}

/** One start, from the command or the event on. */
export interface Started {
  readonly clusterId: string;
  /** Seconds of processor time of whoever asked for it, until it was made. */
  readonly caller: number;
  /** Removes what was started, and returns when it is gone. */
  stop(): Promise<void>;
}

/** One way to start a job on a cluster of its own. */
export interface StartWay {
  readonly name: string;
  start(place: Place): Promise<Started>;
}

/** The same program for all: it runs until it is stopped. */
export const JAR = 'local:///opt/flink/usrlib/TopSpeedWindowing.jar';

export function optionsOf({ image, cores }: Place): Readonly<Record<string, string>> {
  return {
    'kubernetes.service-account': 'flink',
    'kubernetes.container.image.ref': image,
    'kubernetes.jobmanager.cpu.amount': String(cores),
    'kubernetes.taskmanager.cpu.amount': String(cores),
    'jobmanager.memory.process.size': '900m',
    'taskmanager.memory.process.size': '1000m',
  };
}
