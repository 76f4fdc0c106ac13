import type { ResolvedJob } from '../../job/job.ts';
import { applicationMode } from './application-mode.ts';
import type { Mode } from './mode.ts';
import { sessionMode } from './session-mode.ts';

export function modeOf(job: ResolvedJob): Mode {
  switch (job.mode) {
    case 'application':
    case 'standalone':
      return applicationMode;
    case 'session':
      return sessionMode(job.session);
  }
}
