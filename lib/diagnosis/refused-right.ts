import type { ServiceAccountRight } from '../kubernetes/cluster/port.ts';

/** k8s.io/apiserver, `responsewriters.Forbidden`, in the exception of Flink's Kubernetes client. */
const REFUSED =
  / is forbidden: User "system:serviceaccount:([a-z0-9-]{1,63}):([a-z0-9.-]{1,253})" cannot ([a-z]{1,20}) resource "([a-z0-9/.-]{1,100})" in API group "([a-z0-9.-]{0,253})" in the namespace "([a-z0-9-]{1,63})"/g;

/** The right that an API server refused last to the service account of a log's JobManager, in its own namespace. */
export function refusedRight(log: string): ServiceAccountRight | undefined {
  if (!log.includes(' is forbidden: User "system:serviceaccount:')) return undefined;
  const last = [...log.matchAll(REFUSED)].at(-1);
  const [, home, account, verb, resource, group, namespace] = last ?? [];
  if (account === undefined || verb === undefined || resource === undefined) return undefined;
  if (group === undefined || namespace === undefined || namespace !== home) return undefined;
  return { namespace, account, verb, group, resource };
}
