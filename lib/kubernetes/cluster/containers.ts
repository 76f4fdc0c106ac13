import type { ContainerFacts, PodFacts } from './port.ts';

/** The container that is the JobManager or TaskManager; Flink's name for it. */
export const MAIN_CONTAINER = 'flink-main-container';

/**
 * What a container is to its pod.
 * - `main`: the JobManager or the TaskManager itself.
 * - `init`: runs to its end before the main container starts; tried again until it succeeds.
 * - `sidecar`: runs beside the main container, also as an init container with `restartPolicy: Always`. The kubelet starts it
 *   anew by itself, and its end says nothing of Flink.
 */
export type ContainerRole = 'main' | 'init' | 'sidecar';

type Containers = Pick<PodFacts, 'containers'>;

/** A pod without a container of Flink's name has its first one for it. */
export function mainContainer(pod: Containers | undefined): ContainerFacts | undefined {
  const own = pod?.containers.filter(({ init }) => !init);
  return own?.find(({ name }) => name === MAIN_CONTAINER) ?? own?.[0];
}

export function roleOf(pod: Containers, container: ContainerFacts): ContainerRole {
  if (container.init) return isNativeSidecar(pod, container) ? 'sidecar' : 'init';
  return container.name === mainContainer(pod)?.name ? 'main' : 'sidecar';
}

/** An init container that runs beside the main one can be nothing else, also where its policy is not known. */
function isNativeSidecar(pod: Containers, container: ContainerFacts): boolean {
  return container.restartPolicy === 'Always' || (container.state === 'running' && hasMainBegun(pod));
}

/** From then on its init containers have done their work, whatever they needed for it. */
export function hasMainBegun(pod: Containers): boolean {
  const main = mainContainer(pod);
  return main !== undefined && (main.state !== 'waiting' || main.last !== undefined || main.restartCount > 0);
}

export function isMainRunning(pod: Containers): boolean {
  return mainContainer(pod)?.state === 'running';
}
