import type { JSX } from 'preact';
import type { FiringView, ScheduleView } from '../../../lib/view/schedule-view.ts';
import { markOf } from '../../../lib/view/words.ts';
import { day, fullTime, plural } from './format.ts';
import { useLive } from './live.ts';
import { Cell, Loaded, Rows, Section, State, Time, Title } from './parts.tsx';
import { Missing } from './places.tsx';

const EVERY = 30_000;
const COLUMNS = ['State', 'Schedule', 'Fires', 'Last', 'Next', 'Missed', 'Job'];

/** When each fires and fired, and what became of it. */
export function Schedules({ isKnown }: { readonly isKnown: boolean }): JSX.Element {
  return (
    <>
      <Title name="Schedules">Schedules</Title>
      {isKnown ? <Known /> : <Missing what="group of schedules" command="flink-dispatch dashboard --stack <stack>" />}
    </>
  );
}

function Known(): JSX.Element {
  const live = useLive<{ readonly schedules: readonly ScheduleView[] }>('/api/schedules', EVERY);
  return (
    <Loaded live={live}>
      {({ schedules }) =>
        schedules.length === 0 ? (
          <p>The group has no schedules.</p>
        ) : (
          <>
            <Rows caption="Schedules" columns={COLUMNS}>
              {schedules.map(row)}
            </Rows>
            {schedules.map(
              (one) => one.firings.length > 0 && <Firings key={one.name} name={one.name} firings={one.firings} />,
            )}
          </>
        )
      }
    </Loaded>
  );
}

function row({ name, expression, zone, state, job, next, firings, missed }: ScheduleView): JSX.Element {
  const last = firings.findLast(({ run }) => run !== undefined);
  return (
    <tr key={name}>
      <Cell name="State">
        <State of={state} />
      </Cell>
      <Cell name="Schedule">{name}</Cell>
      <Cell name="Fires">
        <code>{expression}</code> <span class="quiet">{zone}</span>
      </Cell>
      <Cell name="Last">
        {last?.run && (
          <a href={`/runs/${last.run.id}`}>
            <State of={last.run.state} /> <Time at={last.at} />
          </a>
        )}
      </Cell>
      <Cell name="Next">{next[0] !== undefined && <Time at={next[0]} />}</Cell>
      <Cell name="Missed">{missed > 0 && <strong>{missed}</strong>}</Cell>
      <Cell name="Job">
        <a href={`/runs?name=${encodeURIComponent(job)}`}>{job}</a>
      </Cell>
    </tr>
  );
}

/** Each time at which it was to fire, by the reader's days; those without a run are what a backfill would make. */
function Firings({ name, firings }: { readonly name: string; readonly firings: readonly FiringView[] }): JSX.Element {
  const days = new Map<string, FiringView[]>();
  for (const one of firings) days.set(day(one.at), [...(days.get(day(one.at)) ?? []), one]);
  return (
    <Section name={`Firings of ${name}`}>
      <p class="count">{plural(firings.length, 'firing')}, the newest last</p>
      <Rows caption={`Firings of ${name} by day`} columns={['Day', 'Firings']}>
        {[...days].map(([label, ones]) => (
          <tr key={label}>
            <Cell name="Day">{label}</Cell>
            <Cell name="Firings">
              <span class="firings">{ones.map(firing)}</span>
            </Cell>
          </tr>
        ))}
      </Rows>
    </Section>
  );
}

function firing({ at, run, missed }: FiringView): JSX.Element {
  const time = fullTime(at);
  if (run !== undefined) {
    const label = `${time}: ${run.state}`;
    return (
      <a key={at} href={`/runs/${run.id}`} class={`firing state state-${run.state}`} title={label} aria-label={label}>
        {markOf(run.state)}
      </a>
    );
  }
  const label = `${time}: ${missed ? 'missed' : 'no run'}`;
  return (
    <span key={at} role="img" class={missed ? 'firing missed' : 'firing'} title={label} aria-label={label}>
      {missed ? '!' : '·'}
    </span>
  );
}
