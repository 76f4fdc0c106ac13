import { DispatchError } from '../../../../../lib/core/errors.ts';
import { pin as pinIn } from '../../../../../lib/deployment/history.ts';
import type { DeploymentRecord, KeptSnapshot } from '../../../../../lib/deployment/record.ts';
import type { Deployments } from '../../../../../lib/deployment/store/deployments.ts';
import { has, type Execute } from '../../command.ts';
import { openDeployments } from '../../deployment-ledger.ts';
import { UsageError } from '../../flags/usage.ts';
import { printJson } from '../../terminal/io.ts';
import { keptSnapshot, noSuchSnapshot } from './kept-snapshot.ts';

/** Functions change the record as well. */
const RACES = 10;

/** A snapshot stays, however old it is or however many came after it; or it does no longer. */
function pinning(pinned: boolean): Execute {
  const command = pinned ? 'pin' : 'unpin';
  return async (io, parsed) => {
    const ledger = await openDeployments(io, parsed);
    const [wanted, which, ...more] = parsed.args;
    if (wanted === undefined || which === undefined || more.length > 0) {
      throw new UsageError(`deployments ${command} <deployment> <snapshot>`);
    }
    const { id, name } = await ledger.find(wanted);
    const { snapshot } = await change(ledger.store, id, which, pinned);
    if (has(parsed, 'json')) printJson(io, { deployment: id, pinned, snapshot });
    else io.out(`${command} ${name}: ${snapshot.path}\n`);
    return 0;
  };
}

async function change(
  store: Pick<Deployments, 'read' | 'replace'>,
  id: DeploymentRecord['id'],
  which: string,
  pinned: boolean,
): Promise<KeptSnapshot> {
  for (let races = 0; races < RACES; races += 1) {
    const stored = await store.read(id);
    if (stored === undefined) throw new DispatchError('JobNotFound', `there is no deployment ${id}`);
    const kept = keptIn(stored.value, which, pinned);
    const written = await store.replace(pinIn(stored.value, kept.ordinal, pinned), stored.version);
    if (written !== undefined) return kept;
  }
  throw new DispatchError('StorageUnavailable', `the record of deployment ${id} changed ${RACES} times meanwhile`);
}

function keptIn(record: DeploymentRecord, which: string, pinned: boolean): KeptSnapshot {
  const one = keptSnapshot(record, which);
  if (one === undefined) throw noSuchSnapshot(record, which);
  if (!pinned || one.deletingAt === undefined) return one;
  throw new UsageError(`'${which}' is being deleted: another one can be kept, as deployments history lists them`);
}

export const pin = pinning(true);
export const unpin = pinning(false);
