import type { ResolvedJob } from '../job/job.ts';
import type { Observation } from '../run/observation.ts';
import type { RunRecord } from '../run/record.ts';
import { applicationMode } from './application-mode.ts';
import type { DispatchDeps } from './deps.ts';
import { sessionMode } from './session-mode.ts';
import type { Target } from './targets.ts';

/** An attempt and what there is to do with it: the record that names it, its target, the outside. */
export interface AttemptAt {
  readonly record: RunRecord;
  readonly target: Target;
  readonly deps: DispatchDeps;
}

/** What differs between the ways to run an attempt. Every method can be repeated, and finds what it did before. */
export interface Mode {
  /** Makes what the job runs on; answers the record with what is known of it. Throws what ends or delays the attempt. */
  launch(at: AttemptAt): Promise<RunRecord>;
  /** One look, without judgement. `decide` judges it by the mode of the record's job. */
  observe(at: AttemptAt): Promise<Observation>;
  /**
   * What a look asks for that decided nothing: pass a cancel on, or submit the job where that is a step of its own.
   * Answers the record to go on with; `failed` ends the attempt.
   */
  act(at: AttemptAt, seen: Observation): Promise<Acted>;
  /** Whatever is there of the attempt stays, and none of it may begin the program from now on. */
  keep?(at: AttemptAt): Promise<RunRecord>;
  /** Removes what belongs to this attempt alone, and answers the names of what is left of it: none when it is gone. */
  removeAndProve(at: AttemptAt, what: { readonly highAvailability: boolean }): Promise<readonly string[]>;
}

/** `again`: the record has to be written before the next look, which comes at once. */
export interface Acted {
  readonly record: RunRecord;
  readonly again?: boolean;
  readonly failed?: NonNullable<RunRecord['outcome']>;
}

export function modeOf(job: ResolvedJob): Mode {
  switch (job.mode) {
    case 'application':
    case 'standalone':
      return applicationMode;
    case 'session':
      return sessionMode;
  }
}
