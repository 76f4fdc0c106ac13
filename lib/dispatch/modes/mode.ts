import type { ActiveRun, LaunchedRun, Outcome } from '../../run/record.ts';
import type { Observation } from '../../verdict/observation.ts';
import type { AttemptContext } from '../attempt-context.ts';

/** What differs between the ways to run an attempt. Every method can be repeated, and finds what it did before. */
export interface Mode {
  /** Makes what the job runs on; answers the record with what is known of it. Throws what ends or delays the attempt. */
  launch(at: AttemptContext<ActiveRun>): Promise<ActiveRun>;
  /** One look, without judgement. `decide` judges it by the mode of the record's job. */
  observe(at: AttemptContext): Promise<Observation>;
  /**
   * What a look asks for that decided nothing: pass a cancel on, or submit the job where that is a step of its own.
   * Answers the record to go on with; `failed` ends the attempt.
   */
  act(at: AttemptContext<ActiveRun>, observation: Observation): Promise<Acted>;
  /** Whatever is there of the attempt stays, and none of it may begin the program from now on. */
  revokeStart?<R extends LaunchedRun>(at: AttemptContext<R>): Promise<R>;
  /** Removes what belongs to this attempt alone, and answers the names of what is left of it: none when it is gone. */
  removeAndVerify(at: AttemptContext, what: { readonly highAvailability: boolean }): Promise<readonly string[]>;
}

/** `again`: the record has to be written before the next look, which comes at once. */
export interface Acted {
  readonly record: ActiveRun;
  readonly again?: boolean;
  readonly failed?: Outcome;
}
