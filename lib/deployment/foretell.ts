import { differInScaleAlone } from './scale/plan.ts';
import { generationOf, type DeploymentRecord, type Generation } from './record.ts';

/**
 * What is to be known before an upgrade begins, in sentences: that it, or the way back from it, rests on what Flink does not
 * promise (its table of checkpoints and savepoints). Undefined: nothing.
 */
export function foretell(record: DeploymentRecord, generation: Generation): string | undefined {
  const running = generationOf(record, record.run?.generation ?? record.last?.generation ?? 0);
  if (running === undefined || running.job === generation.job || generation.wish.state !== 'running') return undefined;
  if (differInScaleAlone(running, generation)) return undefined;
  const { plan } = generation;
  if (plan.upgradeMode === 'stateless') {
    return running.plan.upgradeMode === 'stateless'
      ? undefined
      : 'It starts with empty state: nothing takes it back by itself.';
  }
  const [from, to] = [running.flinkVersion, generation.flinkVersion];
  const way = order(to) - order(from);
  if (way === 0) return undefined;
  if (way < 0)
    return `Flink ${to} may not read what Flink ${from} has written: then the upgrade fails, and is rolled back.`;
  const back = `Once it has completed a checkpoint, Flink ${from} may not read its state: the way back is the snapshot of this upgrade.`;
  return isPromised(generation, from, to) ? back : `${back} ${notPromised(generation)}`;
}

/** Across major versions nothing but a canonical savepoint. */
function isPromised({ plan }: Generation, from: string, to: string): boolean {
  if (from.split('.')[0] === to.split('.')[0]) return true;
  return plan.upgradeMode === 'savepoint' && plan.fallback === 'none' && plan.format === 'CANONICAL';
}

function notPromised({ plan: { upgradeMode, fallback, format } }: Generation): string {
  const by =
    upgradeMode === 'last-state' || fallback === 'last-state' ? 'a checkpoint' : `a ${format.toLowerCase()} savepoint`;
  return `Flink promises no other major version to read ${by}: take job.upgradeMode: savepoint, job.savepointFormat: canonical, where the state backend has it.`;
}

/** Of `2.3`: later versions are higher. */
function order(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}
