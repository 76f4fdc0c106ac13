import type { Order } from '../../../lib/dispatch/deployment/order.ts';
import type { Draws } from '../draws.ts';
import { WITHOUT } from '../streams/operators.ts';

/** Where the simulated Flink keeps state. */
const SAVEPOINTS = 's3://state/sp';
const CHECKPOINTS = 's3://state/chk';

/** One thing that somebody wants of a deployment. */
export type Change =
  | { readonly kind: 'spec'; readonly spec: Readonly<Record<string, unknown>> }
  | { readonly kind: 'order'; readonly order: Order };

/** Whether nothing says that it is a stream, so that its first run is one of its own. */
export function isSilentIn(draws: Draws, name: string): boolean {
  const lacks = draws.pick(`${name} lacks`, LACKS);
  return lacks !== 'savepoints' && !isPreparedIn(draws, name) && draws.chance(`${name} says nothing`, 0.15);
}

const LACKS = ['nothing', 'nothing', 'nothing', 'savepoints', 'checkpoints'] as const;

type Fields = Readonly<Record<string, unknown>>;

/** Whether the runs of a deployment are made before their turn. */
export function isPreparedIn(draws: Draws, name: string): boolean {
  return draws.chance(`${name} is prepared`, 0.35);
}

/** What is wanted of one deployment, one after the other: each spec is the last one with something changed. */
export class Wishes {
  private readonly name: string;
  private readonly draws: Draws;
  /** Completes what the wish begins from, and answers its path. */
  private readonly bring: (number: number) => string;
  /** What its spec has no directory for. */
  private readonly lacks: 'nothing' | 'savepoints' | 'checkpoints';
  /** Its next runs are made before their turn. */
  readonly isPrepared: boolean;
  private readonly isAdaptive: boolean;
  /** In place of saying that it is a stream; what says batch leaves it to Flink. */
  private readonly silence: 'nothing' | 'automatic' | 'batch' | undefined;
  private spec: Fields;
  private job: Fields;
  private generations = 0;

  constructor(name: string, draws: Draws, bring: (number: number) => string) {
    this.name = name;
    this.draws = draws;
    this.bring = bring;
    this.lacks = draws.pick(`${name} lacks`, LACKS);
    this.silence = isSilentIn(draws, name) ? draws.pick(`${name} says`, ['nothing', 'automatic', 'batch']) : undefined;
    this.isPrepared = isPreparedIn(draws, name);
    this.isAdaptive = draws.chance(`${name} is adaptive`, 0.4);
    this.spec = this.firstSpec();
    this.job = this.firstJob();
  }

  next(number: number): Change {
    const what = number === 0 ? 'same' : this.draws.pick(`${this.name} wish ${number}`, WHATS);
    const scales = this.isAdaptive && number > 0 && this.draws.chance(`${this.name} scales ${number}`, 0.5);
    const order = scales ? this.scaleOrder(number) : this.orderOf(what, number);
    if (order !== undefined) return { kind: 'order', order };
    this.generations += 1;
    this.job = { ...this.job, ...(scales ? { parallelism: this.parallelism(number) } : this.changeOf(what, number)) };
    if (scales) return { kind: 'spec', spec: { ...this.spec, job: this.job } };
    if (what === 'restart') this.spec = { ...this.spec, restartNonce: number };
    if (what === 'fails') this.spec = { ...this.spec, image: 'flink:fails' };
    else if (what !== 'same') this.spec = { ...this.spec, image: 'flink:2.3.0' };
    return { kind: 'spec', spec: { ...this.spec, job: this.job } };
  }

  private parallelism(number: number): number {
    const some = this.follows ? ([2, 2, 3, 4, 6] as const) : ([1, 2, 2, 3, 4, 6] as const);
    return this.draws.pick<number>(`${this.name} parallelism ${number}`, some);
  }

  /** By an order, or in the spec. */
  private scaleOrder(number: number): Order | undefined {
    if (!this.draws.chance(`${this.name} orders scale ${number}`, 0.5)) return undefined;
    return { kind: 'scale', parallelism: this.parallelism(number) };
  }

  private changeOf(what: (typeof WHATS)[number], number: number): Fields {
    const { draws } = this;
    switch (what) {
      case 'job':
      case 'fails': {
        const lacks = draws.chance(`${this.name} lacks an operator ${number}`, 0.15);
        return { args: [String(number), ...(lacks ? [WITHOUT] : [])], state: 'running' };
      }
      case 'suspend':
        return { state: 'suspended' };
      case 'resume':
        return { state: 'running' };
      case 'savepoint':
        return this.lacks === 'savepoints' ? {} : { savepointTriggerNonce: number };
      case 'checkpoint':
        return { checkpointTriggerNonce: number };
      case 'redeploy':
        return { state: 'running', savepointRedeployNonce: number, initialSavepointPath: this.bring(number) };
      case 'mode':
        return {
          args: [String(number)],
          ...(this.isPrepared ? this.preparing(draws.chance(`${this.name} prepared ${number}`, 0.7)) : {}),
          upgradeMode: draws.pick(`${this.name} mode ${number}`, this.modes),
          ...this.fallback(`fallback ${number}`),
        };
      default:
        return {};
    }
  }

  private orderOf(what: (typeof WHATS)[number], number: number): Order | undefined {
    const orders: Readonly<Record<string, Order>> = {
      'order suspend': { kind: 'suspend' },
      'order resume': { kind: 'resume' },
      'order restart': { kind: 'restart' },
      'order savepoint': { kind: 'savepoint' },
      'order back': {
        kind: 'upgrade',
        to: this.draws.whole(`${this.name} back ${number}`, 1, Math.max(1, this.generations)),
      },
    };
    return orders[what];
  }

  private firstSpec(): Fields {
    const { name, draws, lacks } = this;
    const isSafe = draws.chance(`${name} has high availability`, 0.25);
    return {
      name,
      image: 'flink:2.3.0',
      flinkConfiguration: {
        ...(lacks === 'savepoints' ? {} : { 'execution.checkpointing.savepoint-dir': SAVEPOINTS }),
        ...(lacks === 'checkpoints' ? {} : { 'execution.checkpointing.dir': CHECKPOINTS }),
        ...(this.isAdaptive ? { 'jobmanager.scheduler': 'adaptive' } : {}),
        ...(this.silence === 'automatic' || this.silence === 'batch' ? { 'execution.runtime-mode': 'AUTOMATIC' } : {}),
        ...(isSafe ? { 'high-availability.type': 'kubernetes', 'high-availability.storageDir': 's3://ha/x' } : {}),
      },
      deadlines: { start: draws.pick(`${name} start`, ['90s', '3m']) },
      retry: { attempts: draws.whole(`${name} attempts`, 1, 3), backoff: '1s' },
    };
  }

  /** Its parallelism follows its load. */
  get follows(): boolean {
    return this.isAdaptive && this.draws.chance(`${this.name} follows its load`, 0.5);
  }

  private preparing(prepareUpgrade: boolean): Fields {
    return { prepareUpgrade, checkState: prepareUpgrade && this.draws.chance(`${this.name} compares`, 0.6) };
  }

  private get modes(): readonly ['savepoint' | 'last-state', ...string[]] {
    if (this.lacks === 'savepoints') return ['last-state', 'last-state', 'stateless'];
    if (this.lacks === 'checkpoints') return ['savepoint', 'savepoint', 'stateless'];
    return ['savepoint', 'savepoint', 'last-state', 'last-state', 'stateless'];
  }

  private fallback(question: string): Fields {
    if (this.lacks === 'checkpoints') return {};
    return { fallback: this.draws.pick(`${this.name} ${question}`, ['none', 'last-state']) };
  }

  private periodic(): Fields {
    const { name, draws } = this;
    if (draws.chance(`${name} by the calendar`, 0.3)) return { savepointSchedule: { cron: '* * * * ? *' } };
    return { savepointInterval: draws.pick(`${name} every`, ['20s', '2m']) };
  }

  private firstJob(): Fields {
    const { name, draws } = this;
    const chance = (what: string, probability: number): boolean => draws.chance(`${name} ${what}`, probability);
    const canSave = this.lacks !== 'savepoints';
    return {
      ...{ entryClass: 'a.B', args: ['0'] },
      ...(this.silence === undefined ? { kind: 'streaming', upgradeMode: draws.pick(`${name} mode`, this.modes) } : {}),
      ...(this.silence === 'batch' ? { kind: 'batch' } : {}),
      savepointDeadline: draws.pick(`${name} deadline`, ['20s', '45s', '3m']),
      savepointHistory: { count: draws.whole(`${name} history`, 1, 4) },
      ...this.fallback('fallback'),
      ...(canSave && chance('periodic', 0.4) ? this.periodic() : {}),
      ...(canSave && chance('age', 0.3) ? { maxCheckpointAge: '5s' } : {}),
      ...(canSave ? { savepointTriggerNonce: 0 } : {}),
      ...(this.isAdaptive ? { parallelism: this.parallelism(0) } : {}),
      ...(this.follows ? { autoscale: { min: 2, max: 6, stabilizationWindow: '30s' } } : {}),
      probation: this.follows ? '20s' : draws.pick(`${name} probation`, ['20s', '90s', '5m']),
      ...(this.isPrepared ? this.preparing(true) : {}),
      rollback: draws.pick(`${name} rollback`, ['automatic', 'automatic', 'automatic', 'manual']),
      ...(chance('brings state', 0.1) ? { initialSavepointPath: this.bring(0) } : {}),
    };
  }
}

const WHATS = [
  ...(['job', 'job', 'job', 'job', 'job', 'job', 'restart', 'restart', 'mode', 'fails', 'same'] as const),
  ...(['suspend', 'resume', 'savepoint', 'checkpoint', 'redeploy'] as const),
  ...(['order suspend', 'order resume', 'order restart', 'order savepoint', 'order back'] as const),
] as const;
