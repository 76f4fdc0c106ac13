import { DispatchError } from '../../core/errors.ts';
import { KUBERNETES as K } from '../options/kubernetes.ts';
import type { Decorator } from './decorator.ts';
import { addToPod, type FlinkPod } from './flink-pod.ts';

/** DNS-1123 subdomain, as PersistentVolumeClaimMountDecorator checks it. */
const CLAIM_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const MAX_CLAIM_NAME = 253;
const MAX_VOLUME_NAME = 63;

/** PersistentVolumeClaimMountDecorator, from 2.3; earlier versions do not know the option. */
export const volumeClaims: Decorator = {
  decorate(pod, { configuration, rules }) {
    const claims = rules.rank < 203 ? [] : (configuration.getOptional(K.volumeClaims)?.entries() ?? []);
    if (claims.length === 0) return pod;
    checkClaims(claims, pod);
    const readOnly = configuration.get(K.volumeClaimsReadOnly);
    return addToPod(pod, {
      volumes: claims.map(([claimName]) => ({
        name: volumeName(claimName),
        persistentVolumeClaim: { claimName, readOnly },
      })),
      mounts: claims.map(([claimName, mountPath]) => ({ name: volumeName(claimName), mountPath, readOnly })),
    });
  },
};

function volumeName(claim: string): string {
  return `${claim.replaceAll('.', '-')}-pvc`;
}

function checkClaims(claims: readonly [string, string][], pod: FlinkPod): void {
  const volumes = new Set((pod.spec.volumes ?? []).map(({ name }) => name));
  const paths = new Set<string>();
  for (const [claim, path] of claims) {
    const volume = volumeName(claim);
    if (claim.length > MAX_CLAIM_NAME || !CLAIM_NAME.test(claim)) throw refused(claim, 'is no name of a claim');
    if (volume.length > MAX_VOLUME_NAME) throw refused(claim, `gives the volume name ${volume}, over 63 characters`);
    if (volumes.has(volume)) throw refused(claim, `needs the volume name ${volume}, which is taken`);
    if (!path.startsWith('/')) throw refused(claim, `must be mounted at an absolute path, not '${path}'`);
    if (paths.has(path)) throw refused(claim, `is to be mounted at ${path}, as another claim is`);
    volumes.add(volume);
    paths.add(path);
  }
}

function refused(claim: string, detail: string): DispatchError {
  return new DispatchError('InvalidConfiguration', `${K.volumeClaims.key}: '${claim}' ${detail}`, {
    field: K.volumeClaims.key,
  });
}
