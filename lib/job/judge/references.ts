import { matchesAny } from '../policy/glob.ts';
import { matchesImage } from '../policy/names.ts';
import { named } from './rules.ts';

/** Names of what the dispatcher and Flink make for one run: no list gives them to another. */
const OF_A_RUN = /^(flink-config|pod-template|start-permit|flink-jar|kerberos-krb5conf|hadoop-config)-|-config-map$/;

export const secretName = named(
  'allow.secrets',
  (name, allow) => !OF_A_RUN.test(name) && matchesAny(allow.secrets, name),
);
export const configMapName = named(
  'allow.configMaps',
  (name, allow) => !OF_A_RUN.test(name) && matchesAny(allow.configMaps, name),
);
export const claimName = named('allow.persistentVolumeClaims', (name, allow) =>
  matchesAny(allow.persistentVolumeClaims, name),
);
export const storageClass = named('allow.storageClasses', (name, allow) => matchesAny(allow.storageClasses, name));
export const serviceAccount = named('allow.serviceAccounts', (name, allow) => matchesAny(allow.serviceAccounts, name));
export const image = named('allow.images', (name, allow) => matchesImage(allow.images, name));
