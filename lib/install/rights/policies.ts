import { stateStorageOf, type DispatchConfig } from '../../job/config/dispatch-config.ts';
import { matchesGlob } from '../../job/policy/glob.ts';
import { registryPolicy } from './registry.ts';
import { allow, policy, sub, type Resources, type StackNames, type Statement } from './template-part.ts';
import { sourcesOf } from './tenants.ts';

const ACCEPTING = ['OnJarUploadRole', 'OnMessageRole', 'OnScheduleRole', 'OnHttpRole'];
const FOLLOWING = ['AdvanceRunRole', 'SweepRunsRole'];

/** What the functions may do because of the configuration: its buckets, addresses, secrets and registries. */
export function policiesFor(config: DispatchConfig, names: StackNames): Resources {
  const { queues, topics } = notifyArns(config);
  const secrets = secretArns(config);
  const tenantQueues = unique(Object.values(config.tenants).flatMap((tenant) => sourcesOf(tenant, 'queue')));
  const receive = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
  const parts = {
    FurtherJarBucketsPolicy: policy([...ACCEPTING, 'AdvanceRunRole'], bucketStatements(config, names)),
    StateStoragePolicy: policy(['AdvanceRunRole'], stateStatements(config)),
    NotifyPolicy: policy(['AdvanceRunRole'], [...some(['sqs:SendMessage'], queues), ...some(['sns:Publish'], topics)]),
    SecretsPolicy: policy(FOLLOWING, some(['secretsmanager:GetSecretValue'], secrets)),
    RegistryPolicy: registryPolicy(config),
    TenantQueuesPolicy: policy(['OnMessageRole'], some(receive, tenantQueues)),
  };
  return Object.fromEntries(Object.entries(parts).flatMap(([id, part]) => (part === undefined ? [] : [[id, part]])));
}

function some(actions: readonly string[], arns: readonly string[]): readonly Statement[] {
  return arns.length === 0 ? [] : [allow(actions, arns.map(sub))];
}

/** Buckets of the allow-lists that are not the stack's own. A pattern that also fits those gives no right to others. */
function bucketStatements({ allow: list, tenants }: DispatchConfig, names: StackNames): readonly Statement[] {
  const { stack, jarBucket } = names;
  const own = [`${stack}-jars-000000000000`, `${stack}-ledger-000000000000`, ...(jarBucket ? [jarBucket] : [])];
  const all = Object.values(tenants);
  const named = [list, ...all.map((tenant) => tenant.allow)].flatMap(({ jarBuckets }) => jarBuckets);
  const uploads = all.flatMap((tenant) => sourcesOf(tenant, 'bucket'));
  return unique([...named, ...uploads])
    .filter((pattern) => !own.some((name) => matchesGlob(pattern, name)))
    .flatMap((bucket) => [
      allow(['s3:GetObject', 's3:GetObjectVersion'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}/*`)]),
      allow(['s3:ListBucket'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}`)]),
    ]);
}

/** Below the prefixes of `allow.stateStorage` and nowhere else: who follows a stream looks for its state, and removes what is old. */
function stateStatements(config: DispatchConfig): readonly Statement[] {
  return stateStorageOf(config).flatMap((uri) => {
    const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(uri) ?? [];
    const folder = path.replace(/^\/+|\/+$/g, '');
    const below = folder === '' ? '*' : `${folder}/*`;
    const inside = folder === '' ? {} : { Condition: { StringLike: { 's3:prefix': below } } };
    return [
      { ...allow(['s3:ListBucket'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}`)]), ...inside },
      allow(['s3:GetObject', 's3:DeleteObject'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}/${below}`)]),
    ];
  });
}

interface Addresses {
  readonly queues: readonly string[];
  readonly topics: readonly string[];
  /** They name no queue and no topic, so no function may send there. */
  readonly unnamed: readonly string[];
}

/** SQS queues (by URL) and SNS topics (by ARN) that runs may name, or that the configuration itself names. */
export function notifyArns(config: DispatchConfig): Addresses {
  const layers = [config, ...Object.values(config.tenants)];
  const specs = [
    ...layers.flatMap(({ defaults, rules }) => [defaults, ...rules.map(({ spec }) => spec)]),
    ...Object.values(config.targets).flatMap(({ defaults }) => defaults ?? []),
  ];
  const named = [...layers.map((layer) => layer.allow), ...specs].flatMap(({ notify }) => notify ?? []);
  const found = { queues: new Set<string>(), topics: new Set<string>(), unnamed: new Set<string>() };
  for (const address of named) {
    const [, region, account, name] = /^https:\/\/sqs\.([^./]+)\.[^/]+\/([^/]+)\/([^/]+)$/.exec(address) ?? [];
    if (name !== undefined) found.queues.add(`arn:\${AWS::Partition}:sqs:${region}:${account}:${name}`);
    else if (/^arn:[^:]+:sns:[^:]+:[^:]+:.+$/.test(address)) found.topics.add(address);
    else found.unnamed.add(address);
  }
  return { queues: [...found.queues], topics: [...found.topics], unnamed: [...found.unnamed] };
}

/** Every `{ kind: secret, arn }`: kubeconfigs of targets, credentials of registries. */
function secretArns({ targets, registries }: DispatchConfig): readonly string[] {
  const places = [
    ...Object.values(targets).map(({ access }) => access),
    ...Object.values(registries).map(({ auth }) => auth),
  ];
  const named = unique(places.flatMap((place) => (place.kind === 'secret' ? [place.arn] : [])));
  // Secrets Manager ends an ARN with a hyphen and six characters, which may be left out.
  return named.flatMap((arn) => {
    const whole = arn.startsWith('arn:')
      ? arn
      : `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${arn}`;
    return /-[A-Za-z0-9]{6}$/.test(arn) ? [whole, `${whole}-??????`] : [`${whole}-??????`];
  });
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
