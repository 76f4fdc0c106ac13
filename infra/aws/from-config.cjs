// What the deployment's configuration (infra/dispatch.yml) means for AWS: names of buckets, and the rights that its
// allow-list, its targets and its registries need. Nothing else has to be written twice.
const { readFileSync } = require('node:fs');
const { resolve } = require('node:path');
const process = require('node:process');
const { parse } = require('yaml');
const { sourcesOf, tenantResources } = require('./tenants.cjs');

const OWN = { jars: '${AWS::StackName}-jars-${AWS::AccountId}', ledger: '${AWS::StackName}-ledger-${AWS::AccountId}' };
const ACCEPTING = ['OnJarUploadRole', 'OnMessageRole', 'OnScheduleRole', 'OnHttpRole'];
const FOLLOWING = ['AdvanceRunRole', 'SweepRunsRole'];

module.exports = async ({ resolveVariable }) => {
  const param = async (name) => (await resolveVariable(`param:${name}`)) || undefined;
  const config = parse(readFileSync(resolve(process.cwd(), await param('config')), 'utf8'));
  const jarBucket = await param('jarBucket');
  return {
    names: { jarBucket: jarBucket ?? OWN.jars, ledgerBucket: (await param('ledgerBucket')) ?? OWN.ledger },
    Resources: resources(config, { stack: await resolveVariable('self:provider.stackName'), jarBucket }),
  };
};

function resources(config, own) {
  return { ...policies(config, own), ...tenantResources(config, own) };
}

function policies(config, own) {
  const { addresses, unnamed } = notifyArns(config);
  for (const address of unnamed) warn(`notify '${address}' names no queue and no topic, so no function may send there`);
  const queues = addresses.filter((arn) => arn.includes(':sqs:'));
  const topics = addresses.filter((arn) => arn.includes(':sns:'));
  const secrets = secretArns(config);
  const tenantQueues = unique(values(config?.tenants).flatMap((tenant) => sourcesOf(tenant, 'queue')));
  const parts = {
    FurtherJarBucketsPolicy: policy(
      [...ACCEPTING, 'AdvanceRunRole'],
      furtherBuckets(config, own).flatMap((bucket) => [
        allow(['s3:GetObject', 's3:GetObjectVersion'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}/*`)]),
        allow(['s3:ListBucket'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}`)]),
      ]),
    ),
    StateStoragePolicy: policy(['AdvanceRunRole'], stateStatements(config)),
    NotifyPolicy: policy(
      ['AdvanceRunRole'],
      [
        ...(queues.length > 0 ? [allow(['sqs:SendMessage'], queues.map(sub))] : []),
        ...(topics.length > 0 ? [allow(['sns:Publish'], topics.map(sub))] : []),
      ],
    ),
    SecretsPolicy: policy(
      FOLLOWING,
      secrets.length > 0 ? [allow(['secretsmanager:GetSecretValue'], secrets.map(sub))] : [],
    ),
    RegistryPolicy: registryPolicy(config),
    TenantQueuesPolicy: policy(
      ['OnMessageRole'],
      tenantQueues.length > 0
        ? [allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], tenantQueues.map(sub))]
        : [],
    ),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}

/** Buckets of the allow-list that are not the deployment's own. A pattern that also fits those gives no right to others. */
function furtherBuckets(config, { stack, jarBucket }) {
  const own = [`${stack}-jars-000000000000`, `${stack}-ledger-000000000000`, ...(jarBucket ? [jarBucket] : [])];
  const tenants = values(config?.tenants);
  const named = [config, ...tenants].flatMap((layer) => texts(layer?.allow?.jarBuckets));
  const uploads = tenants.flatMap((tenant) => sourcesOf(tenant, 'bucket'));
  return unique([...named, ...uploads]).filter((pattern) => !own.some((name) => fits(pattern, name)));
}

/** Below the prefixes of `allow.stateStorage` and nowhere else: who follows a stream looks for its state, and removes what is old. */
function stateStatements(config) {
  const layers = [config, ...values(config?.tenants)];
  const places = unique(layers.flatMap((layer) => texts(layer?.allow?.stateStorage))).flatMap((uri) => {
    const [, bucket, folder = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(uri) ?? [];
    return bucket === undefined ? [] : [{ bucket, folder: folder.replace(/^\/+|\/+$/g, '') }];
  });
  return places.flatMap(({ bucket, folder }) => {
    const below = folder === '' ? '*' : `${folder}/*`;
    const inside = folder === '' ? {} : { Condition: { StringLike: { 's3:prefix': below } } };
    return [
      { ...allow(['s3:ListBucket'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}`)]), ...inside },
      allow(['s3:GetObject', 's3:DeleteObject'], [sub(`arn:\${AWS::Partition}:s3:::${bucket}/${below}`)]),
    ];
  });
}

/** SQS queues (by URL) and SNS topics (by ARN) that runs may name, or that the configuration itself names. */
function notifyArns(config) {
  const layers = [config, ...values(config?.tenants)];
  const named = [...layers, ...values(config?.targets)].map((layer) => layer?.defaults);
  const rules = layers.flatMap((layer) => (Array.isArray(layer?.rules) ? layer.rules : [])).map((rule) => rule?.spec);
  const all = [...layers.map((layer) => layer?.allow), ...named, ...rules].flatMap((layer) => texts(layer?.notify));
  const addresses = new Set();
  const unnamed = [];
  for (const address of new Set(all)) {
    const [, region, account, name] = /^https:\/\/sqs\.([^./]+)\.[^/]+\/([^/]+)\/([^/]+)$/.exec(address) ?? [];
    if (name !== undefined) addresses.add(`arn:\${AWS::Partition}:sqs:${region}:${account}:${name}`);
    else if (/^arn:[^:]+:sns:[^:]+:[^:]+:.+$/.test(address)) addresses.add(address);
    else unnamed.push(address);
  }
  return { addresses: [...addresses], unnamed };
}

/** Every `{ kind: secret, arn }`: kubeconfigs of targets, credentials of registries. */
function secretArns(config) {
  const found = objects(config).filter(({ kind, arn }) => kind === 'secret' && typeof arn === 'string');
  // Secrets Manager ends an ARN with a hyphen and six characters, which may be left out.
  return [...new Set(found.map(({ arn }) => arn))].flatMap((arn) => {
    const whole = arn.startsWith('arn:')
      ? arn
      : `arn:\${AWS::Partition}:secretsmanager:\${AWS::Region}:\${AWS::AccountId}:secret:${arn}`;
    return /-[A-Za-z0-9]{6}$/.test(arn) ? [whole, `${whole}-??????`] : [`${whole}-??????`];
  });
}

/** ECR registries with `auth.kind: ecr`: reads the repositories that the configuration names there, writes to those of jarDelivery. */
function registryPolicy(config) {
  const hosts = Object.entries(config?.registries ?? {}).flatMap(([host, settings]) => {
    const [, account, region] = /^(\d+)\.dkr\.ecr\.([^.]+)\./.exec(host) ?? [];
    return settings?.auth?.kind === 'ecr' && account !== undefined ? [{ host, account, region }] : [];
  });
  const repositories = (value) =>
    hosts.flatMap(({ host, account, region }) =>
      strings(value)
        .filter((text) => text.startsWith(`${host}/`))
        .map((text) => text.slice(host.length + 1).replace(/[:@].*$/, ''))
        .map((name) => sub(`arn:\${AWS::Partition}:ecr:${region}:${account}:repository/${name}`)),
    );
  if (hosts.length === 0) return undefined;
  const written = unique(repositories(values(config?.targets).map((target) => target?.jarDelivery)));
  const read = unique([...repositories(config), ...written]);
  const READ = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];
  const WRITE = ['ecr:CompleteLayerUpload', 'ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:UploadLayerPart'];
  const statements = [
    { Sid: 'RegistryToken', ...allow(['ecr:GetAuthorizationToken'], ['*']) },
    ...(read.length > 0 ? [allow(READ, read)] : []),
    ...(written.length > 0 ? [allow(WRITE, written)] : []),
  ];
  const Justified = { RegistryToken: 'A token is for the registry, of which an account has one: ECR takes * alone' };
  return { ...policy(['AdvanceRunRole'], statements), Metadata: { Justified } };
}

function policy(roles, Statement) {
  if (Statement.length === 0) return undefined;
  return {
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: {
      Roles: roles.map((role) => ({ Ref: role })),
      PolicyDocument: { Version: '2012-10-17', Statement },
    },
  };
}

const allow = (Action, Resource) => ({ Effect: 'Allow', Action, Resource });
const sub = (text) => (text.includes('${') ? { 'Fn::Sub': text } : text);
const texts = (value) => (Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []);
const values = (value) => Object.values(value ?? {});
const unique = (items) => [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];

function objects(value) {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objects)];
}

function strings(value) {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

/** As lib/job/policy/glob.ts has it: `*` and `?`. */
function fits(pattern, text) {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${expression}$`).test(text);
}

function warn(message) {
  process.stderr.write(`Warning: ${message}\n`);
}
