import type { JSX } from 'preact';
import type { StreamRow, StreamView } from '../../../lib/view/stream-view.ts';
import { span } from '../../../lib/view/words.ts';
import { bytes } from './format.ts';
import { useLive, useNow } from './live.ts';
import { Generations } from './generations.tsx';
import { Orders } from './orders.tsx';
import { Cell, Command, Loaded, Rows, Section, State, Time, Title } from './parts.tsx';
import { Track } from './timeline.tsx';

const EVERY = 5_000;

export function Streams(): JSX.Element {
  const live = useLive<{ readonly rows: readonly StreamRow[] }>('/api/streams', EVERY);
  return (
    <>
      <Title name="Streams">Streams</Title>
      <Loaded live={live}>
        {({ rows }) =>
          rows.length === 0 ? (
            <p>
              No stream keeps its state here. A job whose <code>upgradeMode</code> is <code>savepoint</code> or{' '}
              <code>last-state</code> does.
            </p>
          ) : (
            <Rows caption="Streams" columns={['State', 'Name', 'Generation', 'Run', 'Where', 'Changed', 'In the way']}>
              {rows.map((row) => (
                <tr key={row.id}>
                  <Cell name="State">
                    <State of={row.state} />
                  </Cell>
                  <Cell name="Name">
                    <a href={`/streams/${row.id}`} class="row-link">
                      {row.name}
                    </a>
                  </Cell>
                  <Cell name="Generation">{generationsOf(row)}</Cell>
                  <Cell name="Run">{row.run !== undefined && <RunLink id={row.run} />}</Cell>
                  <Cell name="Where">
                    {row.target}, {row.namespace}
                  </Cell>
                  <Cell name="Changed">
                    <Time at={row.updatedAt} />
                  </Cell>
                  <Cell name="In the way">{row.blocked}</Cell>
                </tr>
              ))}
            </Rows>
          )
        }
      </Loaded>
    </>
  );
}

function generationsOf({ reached, wanted }: StreamRow): string {
  return reached === wanted ? String(reached) : `${reached} → ${wanted}`;
}

export function RunLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <a href={`/runs/${id}`}>
      <code>{id}</code>
    </a>
  );
}

export function Stream({ id, mayAct }: { readonly id: string; readonly mayAct: boolean }): JSX.Element {
  const live = useLive<StreamView>(`/api/streams/${encodeURIComponent(id)}`, EVERY);
  const name = live.data?.row.name ?? id;
  return (
    <>
      <Title name={name}>{name}</Title>
      <Loaded live={live}>{(stream) => <Screen stream={stream} mayAct={mayAct} />}</Loaded>
    </>
  );
}

function Screen({ stream, mayAct }: { readonly stream: StreamView; readonly mayAct: boolean }): JSX.Element {
  const { row, settled, unknown, commands, orders, ribbon } = stream;
  const now = useNow(row.run !== undefined);
  const path = `/api/streams/${row.id}`;
  return (
    <>
      <p aria-live="polite">
        <State of={row.state} /> generation {generationsOf(row)}, {row.target}, namespace {row.namespace}
        {row.run !== undefined && (
          <>
            {', run '}
            <RunLink id={row.run} />
          </>
        )}
      </p>
      {settled && (
        <div class="cause">
          <p class="message">
            <strong>{settled.reason}</strong>: {settled.message}
          </p>
          <ul>
            {settled.choices.map((choice) => (
              <li key={choice}>{choice}</li>
            ))}
          </ul>
        </div>
      )}
      {unknown !== undefined && <p class="failure">{unknown}</p>}
      {ribbon.length > 0 && (
        <Section name="Runs">
          <Ribbon runs={ribbon} now={now} />
        </Section>
      )}
      <Section name="Go on">
        <Orders of={orders} path={path} mayAct={mayAct} />
        {commands.map((text) => (
          <Command text={text} key={text} />
        ))}
      </Section>
      <Generations stream={stream} path={path} mayAct={mayAct} />
      <Snapshots stream={stream} />
      <Section name="Events">
        <Rows caption="Events" columns={['Number', 'Event', 'Generation', 'Time', 'Run', 'Message']}>
          {stream.events.map(({ sequence, type, generation, time, run, message }) => (
            <tr key={sequence}>
              <Cell name="Number">{sequence}</Cell>
              <Cell name="Event">{type}</Cell>
              <Cell name="Generation">{generation}</Cell>
              <Cell name="Time">
                <Time at={time} />
              </Cell>
              <Cell name="Run">{run !== undefined && <RunLink id={run} />}</Cell>
              <Cell name="Message">{message}</Cell>
            </tr>
          ))}
        </Rows>
      </Section>
    </>
  );
}

/** Its runs one after the other; the table says when each began and ended. */
function Ribbon({ runs, now }: { readonly runs: StreamView['ribbon']; readonly now: number }): JSX.Element {
  const first = runs[0]?.from ?? now;
  const until = Math.max(first + 1, ...runs.map(({ to = now }) => to));
  return (
    <Rows caption="Runs of the stream" columns={['Run', 'Generation', 'From', 'Ran', 'Span']}>
      {runs.map(({ id, generation, from, to }) => (
        <tr key={id}>
          <Cell name="Run">
            <RunLink id={id} />
          </Cell>
          <Cell name="Generation">{generation}</Cell>
          <Cell name="From">
            <Time at={from} />
          </Cell>
          <Cell name="Ran">
            {span((to ?? now) - from)}
            {to === undefined && ' so far'}
          </Cell>
          <Track from={first} until={until} parts={[{ kind: 'running', from, to: to ?? now }]} />
        </tr>
      ))}
    </Rows>
  );
}

const COLUMNS = ['Snapshot', 'Kind', 'Complete', 'Size', 'For', 'Generation', 'Restored by', 'Path'];

function Snapshots({ stream: { snapshots } }: { readonly stream: StreamView }): JSX.Element {
  return (
    <Section name="Snapshots">
      {snapshots.length === 0 ? (
        <p class="quiet">None yet.</p>
      ) : (
        <Rows caption="Snapshots" columns={COLUMNS}>
          {snapshots.map(({ ordinal, kind, why, at, bytes: size, generation, path, restoredBy, pinned }) => (
            <tr key={ordinal}>
              <Cell name="Snapshot">
                {ordinal}
                {pinned && ' (pinned)'}
              </Cell>
              <Cell name="Kind">{kind}</Cell>
              <Cell name="Complete">
                <Time at={at} />
              </Cell>
              <Cell name="Size">{size !== undefined && bytes(size)}</Cell>
              <Cell name="For">{why}</Cell>
              <Cell name="Generation">{generation}</Cell>
              <Cell name="Restored by">{restoredBy !== undefined && <RunLink id={restoredBy} />}</Cell>
              <Cell name="Path">
                <code>{path}</code>
              </Cell>
            </tr>
          ))}
        </Rows>
      )}
    </Section>
  );
}
