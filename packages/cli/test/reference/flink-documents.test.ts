import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
const DOCUMENT = readFileSync(root('docs/flink-documents.md'), 'utf8');

interface Row {
  readonly theirs: string;
  readonly ours: string;
  readonly test: string;
}

const ROWS: readonly Row[] = DOCUMENT.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| in the document'))
  .map((line) => {
    const [, theirs = '', ours = '', test = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { theirs, ours, test };
  });

/** Every command, flag and option that the two documents name. */
const NAMED = [
  ...['jobmanager-deployment.yaml', 'taskmanager-deployment.yaml', 'jobmanager-service.yaml'].flatMap((file) => [
    `kubectl create -f ${file}`,
    `kubectl delete -f ${file}`,
  ]),
  ...['kubectl proxy', 'kubectl auth can-i', './build.sh --job-jar', 'docker push', 'Helm', 'extensions/v1beta1'],
  ...['`rpc`', '`blob`', '`query`', '`ui`', '`data`', 'JOB_MANAGER_RPC_ADDRESS', 'replicas: 2', 'args: jobmanager'],
  ...['`./bin/kubernetes-session.sh`', '`-D <property=value>`', '`-h`', '`--help`'],
  ...['`-ms`', '`--master`', '`-n`', '`--pods`', '`-d`', '`--detached`', '`-i`', '`--image`', '`-jm`', '`-tm`'],
  ...['`--jobManagerMemory`', '`--taskManagerMemory`', '`-nm`', '`--name`', '`-ns`', '`--namespace`', '`-s`'],
  ...['`--slots`', '`-sa`', '`--serviceaddress`', '`blob.server.port`', '`taskmanager.rpc.port`'],
  ...['kubectl delete service', 'kubernetes.service.exposed.type', 'kubectl port-forward', 'kubectl get services/'],
  ...['run -m kubernetes-cluster -knm', 'kubernetes-session.sh -ms … -nm … -sa', 'run -m kubernetes-cluster -kms'],
  ...['`-kn`', '`-kd`', '`-ki`', '`-kjm`', '`-ktm`', '`-knm`', '`-kns`', '`-ks`', '`-ksa`', '`-kms`', '--kubernetes'],
  ...['FLINK_CONF_DIR', 'run -d', 'accumulators', 'kubernetes.destroy-perjob-cluster.after-job-finished=false'],
  ...['kubectl logs', 'ResourceQuota', 'kubernetes.jobmanager.service-account', 'kubectl create serviceaccount'],
  ...['kubectl create clusterrolebinding', 'owner reference', './bin/kubernetes-session.sh -Dkubernetes.cluster-id'],
  ...['./bin/flink run --target kubernetes-session', 'kubectl delete deployment/', 'COPY', 'local:///'],
  ...['./bin/flink run-application --target kubernetes-application', '`kubernetes.container.image`'],
  ...['no `kubernetes.cluster-id`', './bin/flink list --target', './bin/flink cancel --target', '-Dkey=value'],
  ...[
    'Per-Job Cluster Mode',
    'detached mode',
    '-Dexecution.attached=true',
    '`help`',
    '`stop`',
    're-attach',
    "echo 'stop'",
  ],
];

describe("the table of the documents' commands", () => {
  it.each(NAMED)('has %s', (named) => {
    expect(ROWS.filter(({ theirs }) => theirs.includes(named)).length).toBeGreaterThan(0);
  });

  it.each(ROWS.map((row) => [row.theirs, row] as const))('%s is run by a test that is there', (_theirs, row) => {
    const [, file = '', name = ''] = /^`((?:packages\/cli\/)?test\/[^`]+\.ts)`: (.+)$/.exec(row.test) ?? [];
    expect(row.ours).not.toBe('');
    expect(existsSync(root(file)), row.test).toBe(true);
    expect(readFileSync(root(file), 'utf8').includes(name), row.test).toBe(true);
  });
});
