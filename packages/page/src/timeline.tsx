import type { JSX } from 'preact';
import type { StepKind, TimelineStep } from '../../../lib/view/timeline.ts';
import { span } from './format.ts';
import { Cell, Rows, Time } from './parts.tsx';

const WORDS: Readonly<Record<StepKind, string>> = {
  accepted: 'Accepted',
  waiting: 'Waits',
  creating: 'Creates the cluster',
  starting: 'Starts',
  ready: 'Ready before its turn',
  running: 'Runs',
  removing: 'Removes the cluster',
};

/** Each step with its bar, which says no more than the columns beside it. */
export function Timeline({
  steps,
  now,
}: {
  readonly steps: readonly TimelineStep[];
  readonly now: number;
}): JSX.Element {
  const first = steps[0]?.from ?? now;
  const whole = Math.max(1, ...steps.map(({ to = now }) => to - first));
  return (
    <Rows caption="What the run did, in order" columns={['Step', 'Attempt', 'From', 'Took', 'Span']}>
      {steps.map(({ kind, attempt, from, to }) => (
        <tr key={`${kind}-${attempt ?? 0}-${from}`}>
          <Cell name="Step">{WORDS[kind]}</Cell>
          <Cell name="Attempt">{attempt}</Cell>
          <Cell name="From">
            <Time at={from} />
          </Cell>
          <Cell name="Took">
            {span((to ?? now) - from)}
            {to === undefined && ' so far'}
          </Cell>
          <td class="track" aria-hidden="true">
            <span
              class={`bar bar-${kind}`}
              style={{
                marginInlineStart: `${(100 * (from - first)) / whole}%`,
                width: `${Math.max(0.4, (100 * ((to ?? now) - from)) / whole)}%`,
              }}
            />
          </td>
        </tr>
      ))}
    </Rows>
  );
}
