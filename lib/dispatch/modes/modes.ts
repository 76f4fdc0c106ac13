import { isPrepared } from '../../run/prepared.ts';
import type { HasAttempt, RunRecord } from '../../run/record.ts';
import { applicationMode } from './application-mode.ts';
import type { Mode } from './mode.ts';
import { preparedMode } from './prepared-mode.ts';
import { sessionMode } from './session-mode.ts';

/** Of the run's current attempt, or the one that it would begin now. */
export function modeOf(run: RunRecord & Pick<HasAttempt, 'job'>): Mode {
  const { job } = run;
  if (isPrepared(run)) return preparedMode;
  switch (job.mode) {
    case 'application':
    case 'standalone':
      return applicationMode;
    case 'session':
      return sessionMode(job.session);
  }
}
