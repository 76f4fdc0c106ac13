import { NO_RESOURCE } from '../diagnosis/flink-log/exceptions.ts';
import { startingFor } from '../run/prepared.ts';
import { jobFact, startDeadlineFact } from './facts.ts';
import { BEFORE_RUNNING, type Rule } from './rule.ts';
import { failure, type DecisionInput, type Verdict } from './verdict.ts';

/** Flink gives a job up that gets no slots for `slot.request.timeout`. */
export const slotsUnavailable: Rule = {
  name: 'slots-unavailable',
  description: 'Flink failed the job with NoResourceAvailableException: the session gave it no slots',
  facts: (input) => `${jobFact(input)}; ${slots(input)}`,
  judge: starved,
};

/** The deadline of a job that is there and has no task: it waits for slots. */
export const slotsDeadline: Rule = {
  name: 'slots-deadline',
  description: 'Flink has the job, and no task of it ran within deadlines.start: the session gave it no slots',
  when: BEFORE_RUNNING,
  facts: (input) => `${jobFact(input)}; ${startDeadlineFact(input)}`,
  judge: noSlots,
};

function starved(input: DecisionInput): Verdict | undefined {
  const root = input.observation.rest.state === 'answered' ? input.observation.rest.result?.rootException : undefined;
  if (input.job?.state !== 'FAILED' || root === undefined || !NO_RESOURCE.test(root.stackTrace)) return undefined;
  const said = failure(input, 'SlotsUnavailable', `The session gave the job no slots: ${slots(input)}`, [
    `GET /jobs/${input.job.id}: state FAILED`,
  ]);
  const outcome = { ...said.outcome, rootException: root.message, stackTrace: root.stackTrace, flinkState: 'FAILED' };
  return { ...said, outcome };
}

export function slots({ observation }: DecisionInput): string {
  if (observation.rest.state === 'unreachable') return observation.rest.error;
  const { slotsAvailable, slotsTotal, taskManagers } = observation.rest.facts;
  return `it has ${slotsAvailable} free slots of ${slotsTotal} on ${taskManagers} TaskManagers`;
}

function noSlots(input: DecisionInput): Verdict | undefined {
  const start = input.record.job.deadlines.start;
  if (input.job === undefined) return undefined;
  if (startingFor(input.record, input.attempt, input.now) < start) return undefined;
  const message = `No task of the job ran within the ${Math.round(start / 1000)} s of deadlines.start: ${slots(input)}`;
  return failure(input, 'SlotsUnavailable', message, input.finding?.evidence ?? []);
}
