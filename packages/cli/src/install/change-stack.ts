import { defined } from '../../../../lib/core/defined.ts';
import type { DispatchConfig } from '../../../../lib/job/config/dispatch-config.ts';
import { withBucketNames, withConfiguration, type Template } from '../../../../lib/install/template.ts';
import { fieldChanges, type FieldChange } from '../../../../lib/view/field-diff.ts';
import type { InstallClients } from './clients.ts';
import { discardPlan, executePlan, planChange, type Plan } from './change-set.ts';
import { bucketIsThere, uploadTemplate, type CodePlace } from './code-bucket.ts';
import { templateOf, type StackState } from './stack-state.ts';
import { eventsSoFar, stackEnd, type StackEnd } from './stack-progress.ts';

export interface StackChange {
  readonly stack: string;
  readonly before: StackState | undefined;
  /** Of a release, or the stack's own. */
  readonly template: Template;
  readonly config: DispatchConfig;
  readonly code: CodePlace;
  readonly parameters: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

/** What is shown before anything happens. */
export interface Proposal {
  readonly plan: Plan;
  /** What follows from the configuration: rights, and sources of tenants. */
  readonly rights: readonly FieldChange[];
  /** Versions, where another release takes the place of one. */
  readonly releases?: { readonly before: string; readonly after: string };
}

export type Approve = (proposal: Proposal) => Promise<boolean>;

/** `same`: there was nothing to change. `refused`: nothing was changed, and nothing is left of the plan. */
export type Changed =
  | { readonly kind: 'same' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'done' }
  | ({ readonly kind: 'failed' } & StackEnd);

/** Has CloudFormation plan the change, asks whether it is wanted, and waits for its end. */
export async function changeStack(change: StackChange, approve: Approve, clients: InstallClients): Promise<Changed> {
  const { stack, before, code, parameters, tags } = change;
  const jarBucket = parameters['JarBucketName'] ?? before?.parameters['JarBucketName'];
  const left = before === undefined ? await leftBehind(stack, code.account, clients) : {};
  const takesExisting = Object.keys(left).length > 0;
  const own = withBucketNames(change.template, left);
  const template = withConfiguration(own, change.config, { stack, ...(jarBucket && { jarBucket }) });
  const templateUrl = await uploadTemplate(template, code, clients);
  const plan = await planChange({ stack, before, template, templateUrl, parameters, tags, takesExisting }, clients);
  if (plan === undefined) return { kind: 'same' };
  const was = before === undefined ? undefined : await templateOf(stack, clients);
  const proposal = { plan, rights: rightsChanges(was, template), ...defined({ releases: releasesOf(change) }) };
  if (!(await approve(proposal))) {
    await discardPlan(plan, clients);
    return { kind: 'refused' };
  }
  const known = await eventsSoFar(plan.stackId, clients);
  await executePlan(plan, clients);
  const end = await stackEnd(plan.stackId, known, clients);
  return /^(?:CREATE|UPDATE|IMPORT)_COMPLETE$/.test(end.status) ? { kind: 'done' } : { kind: 'failed', ...end };
}

function releasesOf({ before: state, parameters }: StackChange): Proposal['releases'] {
  const [before, after] = [state?.parameters['CodeVersion'], parameters['CodeVersion']];
  return before === undefined || after === undefined || before === after ? undefined : { before, after };
}

/** Buckets of an installation of this name that was taken away, by their logical ids. */
async function leftBehind(
  stack: string,
  account: string,
  clients: InstallClients,
): Promise<Readonly<Record<string, string>>> {
  const names = { JarBucket: `${stack}-jars-${account}`, LedgerBucket: `${stack}-ledger-${account}` };
  const found: Record<string, string> = {};
  for (const [id, name] of Object.entries(names)) if (await bucketIsThere(name, account, clients)) found[id] = name;
  return found;
}

function rightsChanges(before: Template | undefined, after: Template): readonly FieldChange[] {
  return fieldChanges(before === undefined ? {} : propertiesOf(before), propertiesOf(after));
}

function propertiesOf({ Resources }: Template): Readonly<Record<string, unknown>> {
  const marked = Object.entries(Resources).filter(([, { Metadata }]) => Metadata?.['FlinkDispatch'] !== undefined);
  return Object.fromEntries(marked.map(([id, { Properties }]) => [id, Properties]));
}
