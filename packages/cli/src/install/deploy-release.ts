import { createS3ConfigStore } from '../../../../lib/install/s3-config-store.ts';
import { CONFIG_KEY, type ConfigEditor, type StoredConfig } from '../../../../lib/install/stored-config.ts';
import { nearest } from '../../../../lib/core/nearest.ts';
import { parseDispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { UsageError } from '../flags/usage.ts';
import { changeStack, type Approve, type Changed } from './change-stack.ts';
import { accountOf, asked, type InstallClients } from './clients.ts';
import { bucketIsThere, codeBucketName, makeCodeBucket, uploadZips, type CodePlace } from './code-bucket.ts';
import type { ConfigFile } from './config-file.ts';
import type { Release } from './release.ts';
import { findStack, type StackState } from './stack-state.ts';

export interface DeployWish {
  readonly stack: string;
  readonly release: Release;
  /** Undefined: the one that is stored stays. */
  readonly config: Pick<ConfigFile, 'text' | 'config'> | undefined;
  /** Default: one of the account, which is made when it is not there. */
  readonly codeBucket: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

export type Deployed = Changed & {
  readonly state: StackState | undefined;
  /** What was stored, and was not: somebody else's configuration came between. */
  readonly config: 'stored' | 'same' | 'overtaken';
};

/** Puts a release where AWS finds it, makes or changes the stack, and stores the configuration that its functions read. */
export async function deployRelease(wish: DeployWish, approve: Approve, clients: InstallClients): Promise<Deployed> {
  const { stack, release } = wish;
  checkParameters(wish);
  const before = await findStack(stack, clients);
  if (before !== undefined) requireChangeable(stack, before);
  const stored = before === undefined ? undefined : await storedConfig(before, clients);
  const config = wish.config?.config ?? (stored && parseDispatchConfig(stored.text, CONFIG_KEY));
  if (config === undefined)
    throw new UsageError('the first deployment needs a configuration: --config FILE, which flink-dispatch init writes');
  const code = await codePlace(wish, before, clients);
  await uploadZips(release, code, clients);
  const parameters = {
    ...(before === undefined && { Stage: stageOf(stack) }),
    ...wish.parameters,
    ...{ CodeBucket: code.bucket, CodePrefix: code.prefix, CodeVersion: release.version },
  };
  const change = { stack, before, template: release.template, config, code, parameters, tags: wish.tags };
  const changed = await changeStack(change, approve, clients);
  if (changed.kind === 'refused' || changed.kind === 'failed') return { ...changed, state: before, config: 'same' };
  const state = await findStack(stack, clients);
  return { ...changed, state, config: await storeConfig(wish.config?.text, stored, state, clients) };
}

/** Where the zips are is for this code to say. */
const OWN: Readonly<Record<string, string>> = {
  CodeBucket: '--code-bucket',
  CodePrefix: 'which follows from what was deployed before',
  CodeVersion: '--release',
};

/** @throws UsageError for a parameter that the template has not, or that is not the caller's */
export function checkParameters({ parameters, release }: Pick<DeployWish, 'parameters' | 'release'>): void {
  const known = Object.keys(release.template.Parameters);
  for (const name of Object.keys(parameters)) {
    if (Object.hasOwn(OWN, name)) throw new UsageError(`--parameter ${name} is set by deploy: ${OWN[name] ?? ''}`);
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new UsageError(
      `${name} is no parameter of the release${near === undefined ? `: ${known.join(', ')}` : `: did you mean ${near}?`}`,
    );
  }
}

function requireChangeable(stack: string, { status }: StackState): void {
  if (/_COMPLETE$/.test(status) && status !== 'ROLLBACK_COMPLETE') return;
  const fix = status.endsWith('_IN_PROGRESS')
    ? 'wait for its end'
    : 'flink-dispatch uninstall takes it away, and leaves its buckets';
  throw new UsageError(`the stack ${stack} cannot be changed, it is in the state ${status}: ${fix}`);
}

/** `/flink-dispatch/prod` is the source of events of the stack flink-dispatch-prod. */
export function stageOf(stack: string): string {
  return stack.replace(/^flink-dispatch-(?=.)/, '');
}

async function codePlace(
  { codeBucket }: DeployWish,
  before: StackState | undefined,
  clients: InstallClients,
): Promise<CodePlace> {
  const account = await accountOf(clients);
  const region = await clients.s3.config.region();
  const own = codeBucketName(account, region);
  const bucket = codeBucket ?? before?.parameters['CodeBucket'] ?? own;
  const prefix = before?.parameters['CodePrefix'] ?? 'flink-dispatch/';
  if (!(await bucketIsThere(bucket, account, clients))) {
    if (bucket !== own) throw new UsageError(`there is no bucket ${bucket}: make it, or leave out --code-bucket`);
    await makeCodeBucket(bucket, region, clients);
  }
  return { bucket, prefix, account };
}

function editorOf(state: StackState | undefined, { s3 }: InstallClients): ConfigEditor | undefined {
  const bucket = state?.outputs['LedgerBucketName'];
  return bucket === undefined ? undefined : createS3ConfigStore({ s3, bucket });
}

async function storedConfig(state: StackState, clients: InstallClients): Promise<StoredConfig | undefined> {
  const editor = editorOf(state, clients);
  if (editor === undefined) return undefined;
  const found = await asked(`s3:GetObject on ${editor.uri(CONFIG_KEY)}`, editor.read(CONFIG_KEY), clients.env);
  return found === 'unchanged' ? undefined : found;
}

async function storeConfig(
  text: string | undefined,
  stored: StoredConfig | undefined,
  state: StackState | undefined,
  clients: InstallClients,
): Promise<Deployed['config']> {
  const editor = editorOf(state, clients);
  if (text === undefined || stored?.text === text || editor === undefined || state === undefined) return 'same';
  // A new stack may have taken up the bucket of one before it.
  const before = stored ?? (await storedConfig(state, clients));
  const what = `s3:PutObject on ${editor.uri(CONFIG_KEY)}`;
  return (await asked(what, editor.replace(text, before), clients.env)) ? 'stored' : 'overtaken';
}
