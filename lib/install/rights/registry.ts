import type { DispatchConfig } from '../../job/config/dispatch-config.ts';
import { allow, policy, sub, type Resource } from './template-part.ts';

const READ = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];
const WRITE = ['ecr:CompleteLayerUpload', 'ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:UploadLayerPart'];
const JUSTIFIED = { RegistryToken: 'A token is for the registry, of which an account has one: ECR takes * alone' };

/** ECR registries with `auth.kind: ecr`: reads the repositories that the configuration names there, writes to those of jarDelivery. */
export function registryPolicy(config: DispatchConfig): Resource | undefined {
  const hosts = Object.entries(config.registries).flatMap(([host, { auth }]) => {
    const [, account, region] = /^(\d+)\.dkr\.ecr\.([^.]+)\./.exec(host) ?? [];
    return auth.kind === 'ecr' && account !== undefined ? [{ host, account, region }] : [];
  });
  if (hosts.length === 0) return undefined;
  const repositories = (value: unknown): readonly string[] =>
    hosts.flatMap(({ host, account, region }) =>
      textsIn(value)
        .filter((text) => text.startsWith(`${host}/`))
        .map((text) => text.slice(host.length + 1).replace(/[:@].*$/, ''))
        .map((name) => `arn:\${AWS::Partition}:ecr:${region}:${account}:repository/${name}`),
    );
  const written = new Set(repositories(Object.values(config.targets).map(({ jarDelivery }) => jarDelivery)));
  const read = new Set([...repositories(config), ...written]);
  const statements = [
    { Sid: 'RegistryToken', ...allow(['ecr:GetAuthorizationToken'], ['*']) },
    ...(read.size > 0 ? [allow(READ, [...read].map(sub))] : []),
    ...(written.size > 0 ? [allow(WRITE, [...written].map(sub))] : []),
  ];
  const made = policy(['AdvanceRunRole'], statements);
  return made && { ...made, Metadata: { Justified: JUSTIFIED } };
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
