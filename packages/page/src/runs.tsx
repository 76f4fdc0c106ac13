import type { JSX } from 'preact';
import type { RunRow } from '../../../lib/run/row.ts';
import { span } from '../../../lib/view/words.ts';
import { plural } from './format.ts';
import { useLive, useNow } from './live.ts';
import { go, type Place } from './location.ts';
import { Cell, Loaded, Rows, State, Time, Title } from './parts.tsx';

const EVERY = 2_000;
const PAGE = 50;
const STATES = [
  ...['live', 'ended', 'accepted', 'waiting', 'starting', 'running'],
  ...['succeeded', 'failed', 'canceled', 'rejected', 'unknown'],
];
const TRIGGERS = ['jar-upload', 'message', 'schedule'];
const SINCE = [
  ['1h', 'an hour'],
  ['1d', 'a day'],
  ['7d', 'a week'],
  ['30d', '30 days'],
] as const;
const COLUMNS = ['State', 'Name', 'Reason', 'Accepted', 'Took', 'Attempts', 'Trigger', 'Run'];

export function Runs({ query }: Pick<Place, 'query'>): JSX.Element {
  const live = useLive<{ readonly rows: readonly RunRow[] }>(`/api/runs?${query}`, EVERY);
  const limit = Number(query.get('limit') ?? PAGE);
  return (
    <>
      <Title name="Runs">Runs</Title>
      <Filters query={query} />
      <Loaded live={live}>
        {({ rows }) => (
          <>
            <p class="count" aria-live="polite">
              {rows.length === 0 ? 'No such runs.' : `${plural(rows.length, 'run')}, the newest first`}
            </p>
            {rows.length > 0 && <RunTable rows={rows} />}
            {rows.length >= limit && (
              <button type="button" onClick={() => change(query, 'limit', String(limit * 2))}>
                Show more
              </button>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function change(query: URLSearchParams, name: string, value: string): void {
  const next = new URLSearchParams(query);
  if (value === '') next.delete(name);
  else next.set(name, value);
  go(`/runs${next.size === 0 ? '' : `?${next}`}`, true);
}

function Filters({ query }: Pick<Place, 'query'>): JSX.Element {
  const choice = (name: string, label: string, options: readonly (readonly [string, string])[]): JSX.Element => (
    <label>
      {label}
      <select value={query.get(name) ?? ''} onChange={(event) => change(query, name, event.currentTarget.value)}>
        <option value="">any</option>
        {options.map(([value, text]) => (
          <option value={value} key={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const text = (name: string, label: string, hint: string): JSX.Element => (
    <label>
      {label}
      <input
        type="search"
        name={name}
        placeholder={hint}
        value={query.get(name) ?? ''}
        spellcheck={false}
        onChange={(event) => change(query, name, event.currentTarget.value.trim())}
      />
    </label>
  );
  const same = (values: readonly string[]): readonly (readonly [string, string])[] => values.map((one) => [one, one]);
  return (
    <form class="filters" role="search" aria-label="Filter runs" onSubmit={(event) => event.preventDefault()}>
      {text('name', 'Name', 'orders-*')}
      {choice('state', 'State', same(STATES))}
      {text('reason', 'Reason', 'JobFailed')}
      {choice('trigger', 'Trigger', same(TRIGGERS))}
      {text('tenant', 'Tenant', '')}
      {choice('since', 'Within', SINCE)}
      <button type="button" onClick={() => go('/runs', true)}>
        Clear
      </button>
    </form>
  );
}

function RunTable({ rows }: { readonly rows: readonly RunRow[] }): JSX.Element {
  const now = useNow(true);
  return (
    <Rows caption="Runs" columns={COLUMNS}>
      {rows.map((row) => (
        <tr key={row.runId}>
          <Cell name="State">
            <State of={row.state} />
          </Cell>
          <Cell name="Name">
            <a href={`/runs/${row.runId}`} class="row-link">
              {row.name === '' ? '(no name)' : row.name}
            </a>
            {row.tenant !== undefined && <span class="quiet"> {row.tenant}</span>}
          </Cell>
          <Cell name="Reason">{row.reason}</Cell>
          <Cell name="Accepted">
            <Time at={row.acceptedAt} now={now} />
          </Cell>
          <Cell name="Took">{span((row.endedAt ?? now) - row.acceptedAt)}</Cell>
          <Cell name="Attempts">{row.attempts}</Cell>
          <Cell name="Trigger">{row.trigger}</Cell>
          <Cell name="Run">
            <code>{row.runId}</code>
          </Cell>
        </tr>
      ))}
    </Rows>
  );
}
