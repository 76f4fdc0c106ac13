import type { Decorator } from './decorator.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import { addToPod } from './flink-pod.ts';

/** EnvSecretsDecorator. */
export const envSecrets: Decorator = {
  decorate(pod, { configuration }) {
    const env = (configuration.getOptional(K.envSecrets) ?? []).map((map) => ({
      name: map.get('env') ?? '',
      valueFrom: { secretKeyRef: { name: map.get('secret') ?? '', key: map.get('key') ?? '' } },
    }));
    return addToPod(pod, { env });
  },
};

/** MountSecretsDecorator. */
export const mountSecrets: Decorator = {
  decorate(pod, { configuration }) {
    const secrets = configuration.getOptional(K.secrets)?.entries() ?? [];
    return addToPod(pod, {
      volumes: secrets.map(([name]) => ({ name: `${name}-volume`, secret: { secretName: name } })),
      mounts: secrets.map(([name, mountPath]) => ({ name: `${name}-volume`, mountPath })),
    });
  },
};
