import { resolve } from 'node:path';
import { DescribeClusterCommand, EKSClient } from '@aws-sdk/client-eks';
import { kubeconfigConnection } from '../../../../lib/kubernetes/access/kubeconfig.ts';
import { loadFiles, type LoadedConfig } from '../../../../lib/kubernetes/access/kubeconfig/load.ts';
import { UsageError } from '../flags/usage.ts';
import type { Io } from '../terminal/io.ts';
import { asked } from './clients.ts';

/** `targets.default.access` of a configuration, and what there is to say of it. */
export interface ClusterAccess {
  readonly access: Readonly<Record<string, string>>;
  readonly notes: readonly string[];
}

/** As `aws eks describe-cluster` has it. */
export async function eksAccess(io: Io, cluster: string, region: string | undefined): Promise<ClusterAccess> {
  const client = new EKSClient(region === undefined ? {} : { region });
  const call = client.send(new DescribeClusterCommand({ name: cluster }));
  const { endpoint, certificateAuthority } =
    (await asked(`eks:DescribeCluster of ${cluster}`, call, io.env)).cluster ?? {};
  const certificateAuthorityData = certificateAuthority?.data;
  if (endpoint === undefined || certificateAuthorityData === undefined)
    throw new UsageError(`the cluster ${cluster} has no endpoint yet: wait until it is active`);
  return {
    access: { kind: 'eks', cluster, region: await client.config.region(), endpoint, certificateAuthorityData },
    notes: [],
  };
}

interface KubeconfigWish {
  readonly files: readonly string[];
  /** Default: the current one. */
  readonly context: string | undefined;
  /** Of Secrets Manager, in which functions find the kubeconfig. */
  readonly secret: string | undefined;
}

/** A kubeconfig of EKS' own is told as EKS; any other is in a secret, or a file where the functions run on this machine. */
export async function kubeconfigAccess(wish: KubeconfigWish): Promise<ClusterAccess> {
  const { context: name } = await kubeconfigConnection({
    files: wish.files,
    ...(wish.context && { context: wish.context }),
  });
  const eks = eksOf(loadFiles(wish.files), name);
  if (eks !== undefined) return { access: eks, notes: [] };
  const file = resolve(wish.files[0] ?? '');
  if (wish.secret !== undefined) {
    const todo = `kubectl config view --minify --flatten --context ${quoted(name)} > kubeconfig && aws secretsmanager create-secret --name ${quoted(wish.secret)} --secret-string file://kubeconfig`;
    return {
      access: { kind: 'secret', arn: wish.secret },
      notes: [`the functions look for the kubeconfig in a secret: ${todo}`],
    };
  }
  const note =
    'functions in AWS cannot read a kubeconfig of this machine: --secret NAME has them look in Secrets Manager';
  return { access: { kind: 'kubeconfig', path: file, context: name }, notes: [note] };
}

/** For a shell. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** What `aws eks update-kubeconfig` has written. */
function eksOf(
  { contexts, clusters, users }: LoadedConfig,
  name: string,
): Readonly<Record<string, string>> | undefined {
  const context = contexts.get(name);
  const entry = clusters.get(context?.cluster ?? '');
  const { server: endpoint = '', 'certificate-authority-data': authority } = entry ?? {};
  const [, region] = /^https:\/\/[^/]+\.([a-z0-9-]+)\.eks\.amazonaws\.com(?:\.cn)?$/.exec(endpoint) ?? [];
  const args = users.get(context?.user ?? '')?.exec?.args ?? [];
  const at = args.findIndex((argument) => /^(?:--cluster-name|-i|--cluster-id)$/.test(argument));
  const cluster = at < 0 ? undefined : args[at + 1];
  if (region === undefined || authority === undefined || cluster === undefined) return undefined;
  const certificateAuthorityData = Buffer.from(authority).toString('base64');
  return { kind: 'eks', cluster, region, endpoint, certificateAuthorityData };
}
