import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { redactJson } from '../core/redaction/redact.ts';
import type { DeploymentRecord, Generation, KeptSnapshot } from '../deployment/record.ts';
import { streamOrders, upgradeTo, type OrderView, type StreamOrderKind } from './orders.ts';
import { ribbonOf, type RibbonRun } from './ribbon.ts';

/** What a list shows of a stream that keeps its state. */
export interface StreamRow {
  readonly id: string;
  readonly name: string;
  readonly tenant?: string;
  readonly target: string;
  readonly namespace: string;
  readonly state: DeploymentRecord['state'];
  readonly reached: number;
  readonly wanted: number;
  readonly run?: string;
  readonly updatedAt: Instant;
  /** Why nothing is done for the wanted generation. */
  readonly blocked?: string;
}

export interface GenerationView {
  readonly number: number;
  readonly at: Instant;
  readonly by: string;
  readonly requestId: string;
  readonly flinkVersion: string;
  /** `runs`, `wanted`, `stable`, `superseded`, `rejected`: all that hold. */
  readonly marks: readonly string[];
  readonly rejected?: string;
  readonly rollbackOf?: number;
  /** What brings the stream there. */
  readonly order?: OrderView<'upgrade'>;
}

export interface SnapshotView {
  readonly ordinal: number;
  readonly kind: string;
  readonly why: KeptSnapshot['why'];
  readonly at: Instant;
  readonly bytes?: number;
  readonly generation: number;
  readonly path: string;
  readonly restoredBy?: string;
  readonly pinned: boolean;
}

export interface StreamView {
  readonly row: StreamRow;
  readonly settled?: { readonly reason: string; readonly message: string; readonly choices: readonly string[] };
  readonly unknown?: string;
  /** The newest first. */
  readonly generations: readonly GenerationView[];
  /** The newest first. */
  readonly snapshots: readonly SnapshotView[];
  readonly events: readonly {
    readonly sequence: number;
    readonly type: string;
    readonly time: Instant;
    readonly generation: number;
    readonly message?: string;
    readonly run?: string;
  }[];
  /** The oldest first. */
  readonly ribbon: readonly RibbonRun[];
  /** What can be asked of it. */
  readonly orders: readonly OrderView<StreamOrderKind>[];
  readonly commands: readonly string[];
}

export function streamRow(record: DeploymentRecord): StreamRow {
  const { id, name, tenant, target, namespace, state, reached, wanted, run, updatedAt, settled } = redactJson(record);
  return {
    ...{ id, name, target, namespace, state, reached, wanted, updatedAt },
    ...defined({ tenant, run: run?.id, blocked: settled?.message }),
  };
}

export function viewStream(stored: DeploymentRecord): StreamView {
  const record = redactJson(stored);
  const { settled, unknown, id } = record;
  return {
    row: streamRow(stored),
    ...defined({
      settled: settled && { reason: settled.reason, message: settled.message, choices: settled.choices },
      unknown,
    }),
    generations: record.generations.map((one) => generationView(one, record)).reverse(),
    snapshots: record.snapshots.map(snapshotView).reverse(),
    events: record.events
      .map(({ sequence, type, time, generation, message, run }) => ({
        ...{ sequence, type, time, generation },
        ...defined({ message, run }),
      }))
      .reverse(),
    commands: [
      `flink-dispatch deployments show ${id}`,
      `flink-dispatch deployments diff ${id}`,
      `flink-dispatch deployments history ${id}`,
    ],
    ribbon: ribbonOf(record),
    orders: streamOrders(record),
  };
}

function generationView(one: Generation, record: DeploymentRecord): GenerationView {
  const { run, wanted, stable } = record;
  const { number, at, by, requestId, flinkVersion, rejected, rollbackOf, superseded } = one;
  const marks: readonly (readonly [string, boolean])[] = [
    ['runs', run?.generation === number],
    ['wanted', wanted === number],
    ['stable', stable?.generation === number],
    ['superseded', superseded === true],
    ['rejected', rejected !== undefined],
  ];
  return {
    ...{ number, at, by, requestId, flinkVersion },
    marks: marks.flatMap(([mark, holds]) => (holds ? [mark] : [])),
    ...defined({ rejected: rejected?.message, rollbackOf, order: upgradeTo(record, number) }),
  };
}

function snapshotView({
  ordinal,
  snapshot,
  why,
  at,
  generation,
  restoredBy,
  pinned = false,
}: KeptSnapshot): SnapshotView {
  const { kind, path, bytes } = snapshot;
  return { ...{ ordinal, kind, why, at, generation, path, pinned }, ...defined({ bytes, restoredBy }) };
}
