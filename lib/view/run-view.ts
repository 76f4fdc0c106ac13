import type { Instant } from '../core/clock.ts';
import { defined } from '../core/defined.ts';
import { omit } from '../core/omit.ts';
import { REASONS } from '../core/reasons.ts';
import { redactJson } from '../core/redaction/redact.ts';
import { logNamed } from '../operate/kept-logs.ts';
import { waitOf } from '../run/gate.ts';
import type { Attempt, Outcome, RunRecord } from '../run/record.ts';
import { rowOf, type RunRow } from '../run/row.ts';
import { buildEvent } from '../outcome/event.ts';
import type { LifecycleEvent } from '../outcome/schema.ts';
import { ABORT_DECISION_FILE, DECISION_FILE } from '../verdict/decision-evidence.ts';
import { nextCommands } from './next-commands.ts';
import { fileBehind, type EvidenceFile } from './evidence-file.ts';
import { runOrders, type OrderView, type RunOrderKind } from './orders.ts';
import { ruleText } from './rule-text.ts';
import { timelineOf, type TimelineStep } from './timeline.ts';

/** Something that was kept of an attempt. */
export interface ArtifactView {
  readonly name: string;
  /** Of a log: whose. */
  readonly pod?: string;
  /** Of a log: of the container before the last restart. */
  readonly previous?: true;
}

export interface EvidenceLine {
  readonly text: string;
  /** The file that has it. */
  readonly file?: EvidenceFile;
}

/** Why something ended, and what to do about it. */
export interface CauseView {
  readonly state: Outcome['state'];
  readonly reason: Outcome['reason'];
  readonly reasonClass: string;
  readonly todo: string;
  readonly message: string;
  readonly at: Instant;
  readonly field?: string;
  readonly rule?: string;
  /** What that rule says. */
  readonly ruleText?: string;
  readonly rootException?: string;
  readonly stackTrace?: string;
  readonly evidence: readonly EvidenceLine[];
}

export interface AttemptView {
  readonly number: number;
  readonly clusterId: string;
  readonly jobId: string;
  /** BATCH or STREAMING, as Flink says. */
  readonly runtime?: string;
  readonly restoredFrom?: string;
  readonly snapshot?: string;
  readonly cause?: CauseView;
  readonly artifacts: readonly ArtifactView[];
  /** Whether a decision was kept that can be taken again. */
  readonly hasDecision: boolean;
}

export interface JobFacts {
  readonly target: string;
  readonly namespace: string;
  readonly mode: string;
  readonly flinkVersion: string;
  readonly jar: string;
  readonly sha256?: string;
  readonly image?: string;
  readonly args: readonly string[];
  readonly notes: readonly string[];
  readonly concurrencyKey?: string;
}

/** All that a page shows of one run; without secrets, and all of it data. */
export interface RunView {
  readonly row: RunRow;
  /** Nothing of it is left, and nothing becomes of it any more. */
  readonly isOver: boolean;
  /** What can be asked of it. */
  readonly orders: readonly OrderView<RunOrderKind>[];
  readonly cancelRequested?: { readonly at: Instant; readonly by: string };
  readonly cause?: CauseView;
  readonly waiting?: {
    readonly reason: string;
    readonly message: string;
    readonly since: Instant;
    readonly todo: string;
  };
  readonly stepError?: { readonly since: Instant; readonly count: number; readonly message: string };
  readonly unreachableSince?: Instant;
  readonly deployment?: { readonly id: string; readonly generation: number };
  readonly job?: JobFacts;
  readonly steps: readonly TimelineStep[];
  readonly attempts: readonly AttemptView[];
  readonly events: readonly Omit<LifecycleEvent, 'source'>[];
  readonly commands: readonly string[];
  readonly record: RunRecord;
}

/** `ledger`: the bucket, which the events name. */
export function viewRun(stored: RunRecord, ledger: string): RunView {
  const run = redactJson(stored);
  const { outcome, stepError, unreachableSince, deployment, cancelRequested, attempts } = run;
  const waits = waitOf(run);
  const context = { source: '/', ledgerBucket: ledger };
  const orders = runOrders(run);
  return {
    row: rowOf(run),
    isOver: run.state === 'closed',
    orders,
    ...defined({
      cancelRequested,
      cause: outcome && causeOf(outcome, attempts.at(-1)),
      waiting: waits && { ...waits, todo: REASONS[waits.reason].todo },
      stepError,
      unreachableSince,
      deployment,
      job: factsOf(run),
    }),
    steps: timelineOf(run),
    attempts: attempts.map(attemptView),
    events: run.events.map((event) => omit(buildEvent(run, event, context), 'source')),
    commands: nextCommands(run).filter((command) => !orders.some((order) => order.command === command)),
    record: run,
  };
}

function causeOf(outcome: Outcome, attempt: Attempt | undefined): CauseView {
  const { state, reason, message, at, field, rule, rootException, stackTrace, evidence } = outcome;
  return {
    ...{ state, reason, message, at },
    reasonClass: REASONS[reason].class,
    todo: REASONS[reason].todo,
    ...defined({ field, rule, ruleText: rule === undefined ? undefined : ruleText(rule), rootException, stackTrace }),
    evidence: evidence.map((text) => ({ text, ...defined({ file: attempt && fileBehind(text, attempt) }) })),
  };
}

function artifactView(name: string): ArtifactView {
  const log = logNamed(name);
  return { name, ...defined({ pod: log?.pod }), ...(log?.previous === true && { previous: true }) };
}

function attemptView(attempt: Attempt): AttemptView {
  const { number, clusterId, jobId, outcome, artifacts = [], runtime, restoredFrom, snapshot } = attempt;
  const decisions: readonly string[] = [DECISION_FILE, ABORT_DECISION_FILE];
  return {
    ...{ number, clusterId, jobId },
    ...defined({
      runtime: runtime?.type,
      restoredFrom: restoredFrom?.path,
      snapshot: snapshot?.path,
      cause: outcome && causeOf(outcome, attempt),
    }),
    artifacts: artifacts.map(artifactView),
    hasDecision: artifacts.some((name) => decisions.includes(name)),
  };
}

function factsOf({ job }: RunRecord): JobFacts | undefined {
  if (job === undefined) return undefined;
  const { target, namespace, mode, flinkVersion, jar, options, args, notes = [], concurrency } = job;
  const image = options['kubernetes.container.image.ref'];
  const sha256 = jar.pinned?.sha256;
  return {
    ...{ target, namespace, mode, flinkVersion, args, notes },
    jar: jar.uri,
    ...defined({ sha256, image, concurrencyKey: concurrency?.key }),
  };
}
