import type { DeploymentRecord } from '../deployment/record.ts';
import { isEnded } from '../run/machine.ts';
import type { RunRecord } from '../run/record.ts';
import type { AgainKind, OrderKind } from '../trigger/order.ts';

export type RunOrderKind = OrderKind | AgainKind;
export const STREAM_ORDER_KINDS = ['savepoint', 'suspend', 'resume', 'restart', 'rollback', 'upgrade'] as const;
export type StreamOrderKind = (typeof STREAM_ORDER_KINDS)[number];

/** What can be asked of a run or a stream as it is: by the page, or as the command that does the same. */
export interface OrderView<K extends RunOrderKind | StreamOrderKind> {
  readonly kind: K;
  readonly label: string;
  /** Answered before it is asked: it says what becomes of it. */
  readonly question: string;
  readonly command: string;
  /** Of an upgrade: the generation that is wanted. */
  readonly to?: number;
}

const OF_RUN: Readonly<Record<RunOrderKind, readonly [label: string, question: string]>> = {
  cancel: ['Cancel', 'Cancel this run? Its job is stopped, and its cluster removed.'],
  stop: ['Stop with its state', 'Stop this run with its state? The stream is suspended, and can be resumed.'],
  savepoint: ['Take a savepoint', 'Take a savepoint? The job runs on.'],
  rerun: ['Run it again', "Run it again? A new run of what was asked for, with today's jar and defaults."],
  replay: ['Replay it exactly', 'Replay it? A new run with the same bytes of its jar, image and configuration.'],
};

export function runOrders(run: RunRecord): readonly OrderView<RunOrderKind>[] {
  return kindsFor(run).map((kind) => {
    const [label, question] = OF_RUN[kind];
    return { kind, label, question, command: `flink-dispatch runs ${kind} ${run.runId}` };
  });
}

function kindsFor({ state, cancelRequested, deployment, job, asked }: RunRecord): readonly RunOrderKind[] {
  if (!isEnded(state)) {
    const ofStream = deployment === undefined ? [] : (['stop', 'savepoint'] as const);
    return cancelRequested === undefined ? [...ofStream, 'cancel'] : [];
  }
  if (deployment !== undefined) return [];
  return [...(asked === undefined ? [] : (['rerun'] as const)), ...(job === undefined ? [] : (['replay'] as const))];
}

/** The functions judge an order once more: here is what may be asked of a stream that is as this record says. */
export function streamOrders(record: DeploymentRecord): readonly OrderView<StreamOrderKind>[] {
  const { id, state, stable, wanted, run } = record;
  if (state === 'deleted' || state === 'deleting') return [];
  const order = (kind: StreamOrderKind, label: string, question: string, flags = ''): OrderView<StreamOrderKind> => ({
    ...{ kind, label, question },
    command: `flink-dispatch deployments ${kind} ${id}${flags}`,
  });
  const isDown = state === 'suspended' || state === 'suspending' || state === 'finished';
  const back = stable !== undefined && stable.generation !== wanted ? stable : undefined;
  return [
    ...(state === 'running' ? [order('savepoint', 'Take a savepoint', 'Take a savepoint? The job runs on.')] : []),
    isDown
      ? order('resume', 'Resume', 'Resume the stream? Its next run starts from the newest state.')
      : order('suspend', 'Suspend', 'Suspend the stream? Its job is stopped with its state.'),
    ...(run === undefined
      ? []
      : [order('restart', 'Restart', 'Restart the stream? Its job is stopped with its state, and begun again.')]),
    ...(back === undefined
      ? []
      : [
          order(
            'rollback',
            `Roll back to generation ${back.generation}`,
            `Roll back to generation ${back.generation}, from ${back.left?.path ?? 'the state that it left'}? What the stream did after that is done again.`,
            ' --accept-duplicates',
          ),
        ]),
  ];
}

/** To each generation but the wanted one. */
export function upgradeTo({ id, state, wanted }: DeploymentRecord, number: number): OrderView<'upgrade'> | undefined {
  if (number === wanted || state === 'deleted' || state === 'deleting') return undefined;
  return {
    kind: 'upgrade',
    label: `Go to generation ${number}`,
    question: `Upgrade the stream to the job of generation ${number}?`,
    command: `flink-dispatch deployments upgrade ${id} --to ${number}`,
    to: number,
  };
}
