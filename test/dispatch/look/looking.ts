import type { AttemptContext } from '../../../lib/dispatch/attempt-context.ts';
import { currentAttempt } from '../../../lib/run/machine.ts';
import type { JobManagerFacts, JobResult, JobSummary, MainThread } from '../../../lib/flink/job-manager.ts';
import type { KubernetesFacts, ServiceAccountRight } from '../../../lib/kubernetes/cluster/port.ts';
import type { ActiveRun, Attempt } from '../../../lib/run/record.ts';
import { jobOf, kubernetes, NOW, runIn } from '../../verdict/observations.ts';

/** What Kubernetes and Flink answer at one look, each question written down. */
export class Looking {
  now = NOW;
  run: ActiveRun = runIn('running', 60_000);
  readonly asked: string[] = [];
  /** Answers of Kubernetes, one after another; the last one stays. */
  kubernetes: KubernetesFacts[] = [kubernetes(this.run)];
  /** Of the JobManager. */
  overviews: (readonly JobSummary[])[] = [[]];
  applications: JobManagerFacts['applications'];
  result: (id: string) => JobResult = () => ({ answers: {} });
  main: MainThread | undefined;
  /** Milliseconds that the JobManager takes. */
  takes = 0;
  refuses = false;
  /** By `pod previous`; no entry: no answer. */
  readonly logs = new Map<string, string>();
  right: boolean | undefined;

  job(change: Partial<JobSummary> = {}): JobSummary {
    return jobOf(this.run, change);
  }

  /** Of its current attempt. */
  note(change: Partial<Attempt>): void {
    const attempts = [{ ...currentAttempt(this.run), ...change }] as const;
    this.run = { ...this.run, attempts };
  }

  get at(): AttemptContext {
    const { run } = this;
    const { clusterId } = currentAttempt(run);
    const next = <T>(answers: T[]): T | undefined => (answers.length > 1 ? answers.shift() : answers[0]);
    const ask = <T>(what: string, answer: () => T): Promise<T> => {
      this.asked.push(what);
      return Promise.resolve().then(answer);
    };
    const jobManager = (kind: string) => () => ({
      overview: () =>
        ask(kind, () => {
          this.now += this.takes;
          if (this.refuses) throw new Error('refused');
          const { applications } = this;
          return { jobs: next(this.overviews) ?? [], ...(applications !== undefined && { applications }) };
        }),
      result: (id: string) => ask(`result ${id}`, () => this.result(id)),
      runtime: (id: string) => ask(`runtime ${id}`, () => ({ jobId: id, type: 'STREAMING' })),
      mainThread: () => ask('main', () => this.main),
      exception: (id: string) => ask(`exception ${id}`, () => ({ message: `why ${id}`, stackTrace: '' })),
    });
    const cluster = {
      observe: () => ask('kubernetes', () => next(this.kubernetes)),
      tail: (_ref: unknown, pod: string, { previous, bytes }: { previous: boolean; bytes: number }) =>
        ask(`log ${pod} ${previous ? 'previous ' : ''}${bytes}`, () => {
          const text = this.logs.get(`${pod}${previous ? ' previous' : ''}`);
          if (text === undefined) throw new Error('no log');
          return { text };
        }),
      hasRight: ({ resource }: ServiceAccountRight) => ask(`right ${resource}`, () => this.right),
    };
    return {
      ...{ run, job: run.job, attempt: currentAttempt(run), ref: { namespace: 'flink', clusterId } },
      target: { cluster, jobManager: jobManager('session'), application: jobManager('application') },
      deps: { clock: { now: () => this.now, sleep: () => Promise.resolve() } },
    } as unknown as AttemptContext;
  }
}
