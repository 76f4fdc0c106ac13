import { parseArgs } from 'node:util';
import { defined } from '../../../lib/core/defined.ts';
import type { ClusterChoice } from '../cluster.ts';

export interface DemoOptions {
  readonly help: boolean;
  readonly stay: boolean;
  readonly host?: string;
  readonly cluster?: ClusterChoice;
}

export const USAGE = `usage: npm run demo -- [options]
       npm run -s demo -- upload FILE.jar [job.yaml]    to a demo that stays up
       npm run -s demo -- send JSON                     to its message queue

Drops a jar into a bucket and shows what becomes of it: a Flink cluster of its own, a completion event, and nothing left.
By default all of it runs on this machine: AWS as a local server, Kubernetes with processes as pods, Flink itself.

  --stay                  keep it up afterwards, for jars, messages and schedules of yours
  --kubeconfig FILE       use your cluster in place of the local one
  --context NAME          of the kubeconfig; default: the current one
  --namespace NAME        in your cluster; default: the context's own
  --image IMAGE           Flink's, in your cluster; default: flink:2.3.0
  --service-account NAME  of Flink's pods; it may create and delete pods
  --host ADDRESS          of this machine, as your cluster's pods reach it: they fetch the jar from here
  --help
`;

const OPTIONS = {
  help: { type: 'boolean', short: 'h', default: false },
  stay: { type: 'boolean', default: false },
  host: { type: 'string' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  namespace: { type: 'string' },
  image: { type: 'string' },
  'service-account': { type: 'string' },
} as const;

/** @throws Error that says which argument is wrong. */
export function parseDemoOptions(args: readonly string[]): DemoOptions {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false });
  const { help, stay, host, kubeconfig, context, namespace, image, 'service-account': serviceAccount } = values;
  const given = { kubeconfig, context, namespace, image, serviceAccount };
  const choice = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as ClusterChoice;
  const own = kubeconfig !== undefined || context !== undefined;
  const stray = Object.keys(choice).length > 0 || host !== undefined;
  if (stray && !own)
    throw new Error('--namespace, --image, --service-account and --host need --kubeconfig or --context');
  if (own && host === undefined) {
    throw new Error("--host is needed with your own cluster: this machine's address as its pods reach it");
  }
  return { help, stay, ...defined({ host }), ...(own ? { cluster: choice } : {}) };
}
