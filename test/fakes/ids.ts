import { parseClusterId, type ClusterId, type RunId } from '../../lib/core/ids.ts';
import type { RunOwner } from '../../lib/kubernetes/cluster/port.ts';

/** A cluster-id that a test makes up. */
export function clusterId(text: string): ClusterId {
  return parseClusterId(text);
}

/** Any text in the place of a run id: one that a test reads from an object, or that no run has. */
export function runId(text: string): RunId {
  return text as RunId;
}

export function ownerOf(run: string, attempt = 1): RunOwner {
  return { kind: 'run', runId: runId(run), attempt };
}
