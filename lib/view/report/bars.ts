import type { Instant } from '../../core/clock.ts';
import type { TimelineStep } from '../timeline.ts';
import { span, STEP_WORDS } from '../words.ts';
import { markup, type Markup } from './markup.ts';

const WIDTH = 640;
const HEIGHT = 18;
/** A step that took no time is still seen. */
const LEAST = 2;

/** The steps as a table, each with its bar: attributes of SVG need no style of their own, which a policy would have to allow. */
export function barsOf(steps: readonly TimelineStep[], now: Instant): Markup {
  const first = steps[0]?.from ?? now;
  const whole = Math.max(1, ...steps.map(({ to = now }) => to - first));
  const along = (ms: number): number => Math.round((WIDTH * ms) / whole);
  const row = ({ kind, attempt, from, to = now }: TimelineStep): Markup => {
    const left = Math.min(WIDTH - LEAST, Math.max(0, along(from - first)));
    const width = Math.min(WIDTH - left, Math.max(LEAST, along(to - from)));
    return markup`<tr>
<td>${STEP_WORDS[kind]}</td><td>${attempt}</td><td>${utc(from)}</td><td>${span(to - from)}</td>
<td class="track" aria-hidden="true"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none"><rect class="${kind}" x="${left}" width="${width}" height="${HEIGHT}"/></svg></td>
</tr>
`;
  };
  return markup`<table>
<caption>What the run did, in order</caption>
<thead><tr><th scope="col">Step</th><th scope="col">Attempt</th><th scope="col">From</th><th scope="col">Took</th><th scope="col">Span</th></tr></thead>
<tbody>
${steps.map(row)}</tbody>
</table>`;
}

/** `2026-11-18 11:08:40 UTC`: a file has no script that knows the reader's zone. */
export function utc(at: Instant): string {
  return `${new Date(at).toISOString().replace('T', ' ').slice(0, 19)} UTC`;
}
