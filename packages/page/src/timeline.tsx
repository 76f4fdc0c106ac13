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
          <Track from={first} until={first + whole} parts={[{ kind, from, to: to ?? now }]} />
        </tr>
      ))}
    </Rows>
  );
}

/** Spans side by side on a time that others share. */
export function Track({
  from,
  until,
  parts,
}: {
  readonly from: number;
  readonly until: number;
  readonly parts: readonly { readonly kind: string; readonly from: number; readonly to: number }[];
}): JSX.Element {
  const whole = Math.max(1, until - from);
  const share = (ms: number): number => Math.min(100, Math.max(0, (100 * ms) / whole));
  return (
    <td class="track" aria-hidden="true">
      <div class="lane">
        {parts.map((part) => (
          <span
            key={`${part.kind}-${part.from}`}
            class={`bar bar-${part.kind}`}
            style={{
              insetInlineStart: `${Math.min(99.6, share(part.from - from))}%`,
              width: `${Math.max(0.4, share(part.to - Math.max(from, part.from)))}%`,
            }}
          />
        ))}
      </div>
    </td>
  );
}
