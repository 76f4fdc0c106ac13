import type { JSX } from 'preact';
import type { StreamRow, StreamView } from '../../../lib/view/stream-view.ts';
import { bytes } from './format.ts';
import { useLive } from './live.ts';
import { Cell, Command, Loaded, Rows, Section, State, Time, Title } from './parts.tsx';

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

export function Stream({ id }: { readonly id: string }): JSX.Element {
  const live = useLive<StreamView>(`/api/streams/${encodeURIComponent(id)}`, EVERY);
  const name = live.data?.row.name ?? id;
  return (
    <>
      <Title name={name}>{name}</Title>
      <Loaded live={live}>{(stream) => <Screen stream={stream} />}</Loaded>
    </>
  );
}

function Screen({ stream }: { readonly stream: StreamView }): JSX.Element {
  const { row, settled, unknown, commands } = stream;
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
      <Section name="Go on">
        {commands.map((text) => (
          <Command text={text} key={text} />
        ))}
      </Section>
      <Generations stream={stream} />
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

function Generations({ stream: { generations } }: { readonly stream: StreamView }): JSX.Element {
  return (
    <Section name="Generations">
      <Rows caption="Generations" columns={['Generation', 'Is', 'Time', 'By', 'Flink', 'Note']}>
        {generations.map(({ number, marks, at, by, flinkVersion, rejected, rollbackOf }) => (
          <tr key={number}>
            <Cell name="Generation">{number}</Cell>
            <Cell name="Is">{marks.join(', ')}</Cell>
            <Cell name="Time">
              <Time at={at} />
            </Cell>
            <Cell name="By">{by}</Cell>
            <Cell name="Flink">{flinkVersion}</Cell>
            <Cell name="Note">{rejected ?? (rollbackOf === undefined ? '' : `again generation ${rollbackOf}`)}</Cell>
          </tr>
        ))}
      </Rows>
    </Section>
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
