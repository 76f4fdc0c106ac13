import type { DeploymentRecord } from '../../../../../lib/deployment/record.ts';
import { has, type Execute } from '../../command.ts';
import { openDeployments } from '../../deployment-ledger.ts';
import { onlyArgument } from '../../flags/only-argument.ts';
import { harmless, printJson, table } from '../../terminal/io.ts';

/** Deployments of which something may still become, or all; by name. */
export const list: Execute = async (io, parsed) => {
  const found = [...(await (await openDeployments(io, parsed)).all(has(parsed, 'all')))];
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (has(parsed, 'json')) printJson(io, found.map(summary));
  else if (found.length === 0) io.err('no deployments; --all lists those that are over too\n');
  else {
    const rows = found.map((one) => [
      ...[one.id, one.name, one.target, one.namespace, one.state],
      `${one.reached}${one.wanted === one.reached ? '' : ` → ${one.wanted}`}`,
      one.run?.id ?? '-',
    ]);
    io.out(harmless(table([['DEPLOYMENT', 'NAME', 'TARGET', 'NAMESPACE', 'STATE', 'GENERATION', 'RUN'], ...rows])));
  }
  return 0;
};

/** One deployment: what is wanted, what runs, and what stands in the way. */
export const show: Execute = async (io, parsed) => {
  const record = await (await openDeployments(io, parsed)).find(onlyArgument(parsed, 'deployments show <deployment>'));
  if (has(parsed, 'json')) printJson(io, record);
  else io.out(harmless(described(record)));
  return 0;
};

function summary({ id, tenant, name, target, namespace, state, wanted, reached, run, settled }: DeploymentRecord) {
  const { reason, message } = settled ?? {};
  return { id, tenant, name, target, namespace, state, wanted, reached, run: run?.id, reason, message };
}

function described(record: DeploymentRecord): string {
  const { id, name, target, namespace, state, generations, wanted, reached, run, next, newest, settled, request } =
    record;
  const lines = [
    `deployment ${id} ${name}: ${state}`,
    `target ${target}, namespace ${namespace}`,
    `generation ${wanted} is wanted, ${reached === 0 ? 'none' : reached} was reached last`,
  ];
  if (run !== undefined) {
    const from = run.startFrom === undefined ? 'empty state' : run.startFrom.path;
    lines.push(`run ${run.id} of generation ${run.generation} (${run.why}), from ${from}`);
    if (run.stop !== undefined) lines.push(`  asked to end by ${run.stop.mode} (${run.stop.why})`);
  }
  lines.push(...stability(record));
  if (next !== undefined) {
    lines.push(
      `run ${next.id} of generation ${next.generation} is being ${next.dropped === true ? 'ended' : 'prepared'}`,
    );
  }
  if (newest !== undefined) lines.push(`newest state: ${newest.kind} ${newest.path}`);
  if (request !== undefined) lines.push(`a ${request.kind} is being taken (${request.why})`);
  if (settled !== undefined) {
    lines.push(`${settled.reason}, for generation ${settled.generation}: ${settled.message}`);
    lines.push(...settled.choices.map((choice) => `  what can be done: ${choice}`));
  }
  const rows = generations.map(({ number, plan, wish, at, by, superseded, rejected }) => [
    ...[String(number), plan.upgradeMode, wish.state],
    rejected === undefined ? (superseded === true ? 'superseded' : '') : 'rejected',
    ...[new Date(at).toISOString(), by],
  ]);
  const listed = table([['GENERATION', 'UPGRADE', 'STATE', '', 'ACCEPTED', 'BY'], ...rows]);
  return `${lines.join('\n')}\n${listed}`;
}

/** What is stable, and why what runs is not. */
function stability({ stable, run }: DeploymentRecord): string[] {
  const left = stable?.left === undefined ? '' : `, which left ${stable.left.path}`;
  const known =
    stable === undefined ? 'no generation is stable yet' : `generation ${stable.generation} was stable last${left}`;
  return run?.unstable === undefined
    ? [known]
    : [known, `generation ${run.generation} is not: ${run.unstable.message}`];
}
