import { FLINK } from '../options/flink.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { Decorator } from './decorator.ts';

/** CmdJobManagerDecorator: the start script is found on the image's PATH; the arguments are the user's shell words. */
export const commandOfJobManager: Decorator = {
  decorate(pod, { configuration }) {
    // checked before: one of the two names, in any case (KubernetesDeploymentTarget.fromConfig)
    const target = (configuration.getOptional(FLINK.target) ?? '').toLowerCase();
    const script = `kubernetes-jobmanager.sh ${target} ${configuration.get(K.entrypointArgs)}`;
    return {
      ...pod,
      main: { ...pod.main, command: [configuration.get(K.entryPath)], args: ['bash', '-c', script] },
    };
  },
};
