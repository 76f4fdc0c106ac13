import { flinkConf } from '../native/config-maps.ts';
import type { Decorator } from '../native/decorator.ts';
import type { Plan } from '../native/deployment-plan.ts';
import { addToPod, type FlinkPod } from '../native/flink-pod.ts';
import { hadoopConf, kerberos } from '../native/hadoop-kerberos.ts';
import { envSecrets, mountSecrets } from '../native/secrets.ts';
import { volumeClaims } from '../native/volume-claims.ts';

/** What both components have, in the order of native pods. */
const COMMON: readonly Decorator[] = [envSecrets, mountSecrets, volumeClaims, hadoopConf, kerberos, flinkConf];

/** Secrets, claims and configuration; then what the image's entry point is to start. */
export function complete(pod: FlinkPod, plan: Plan, args: readonly string[]): FlinkPod {
  const decorated = COMMON.reduce((before, { decorate }) => decorate?.(before, plan) ?? before, pod);
  // the official image writes it into a configuration that can be written
  const env = [{ name: 'JOB_MANAGER_RPC_ADDRESS', value: `${plan.clusterId}.${plan.namespace}` }];
  const { main, ...rest } = addToPod(decorated, plan.highAvailability ? {} : { env });
  return { ...rest, main: { ...main, args: [...args] } };
}
