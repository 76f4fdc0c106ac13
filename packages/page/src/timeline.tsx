import type { JSX } from 'preact';
import type { TimelineStep } from '../../../lib/view/timeline.ts';
import { span, STEP_WORDS } from '../../../lib/view/words.ts';
import { Cell, Rows, Time } from './parts.tsx';

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
          <Cell name="Step">{STEP_WORDS[kind]}</Cell>
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
