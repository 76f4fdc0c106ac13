import type { JSX } from 'preact';
import type { QueueView } from '../../../lib/view/queue-view.ts';
import type { TargetCheck } from '../../../lib/view/server/ports.ts';
import { plural } from './format.ts';
import { useLive, useNow } from './live.ts';
import { Cell, Command, Loaded, Rows, Section, State, Time, Title } from './parts.tsx';
import { RunLink } from './streams.tsx';

const EVERY = 5_000;

/** Who waits, for what, and behind whom. */
export function Queues(): JSX.Element {
  const live = useLive<{ readonly queues: readonly QueueView[] }>('/api/queues', EVERY);
  const now = useNow(true);
  return (
    <>
      <Title name="Queues">Queues</Title>
      <Loaded live={live}>
        {({ queues }) =>
          queues.length === 0 ? (
            <p>No run waits.</p>
          ) : (
            <>
              {queues.map((queue) => (
                <Queue key={`${queue.reason}-${queue.key ?? ''}-${queue.holder ?? ''}`} queue={queue} now={now} />
              ))}
            </>
          )
        }
      </Loaded>
    </>
  );
}

function Queue({ queue, now }: { readonly queue: QueueView; readonly now: number }): JSX.Element {
  const { key, reason, todo, holder, waiting } = queue;
  return (
    <Section name={key === undefined ? reason : `Turn of ${key}`}>
      <p>
        {plural(waiting.length, 'run')} {waiting.length === 1 ? 'waits' : 'wait'}: {reason}. {todo}{' '}
        {holder !== undefined && (
          <>
            It is the turn of <RunLink id={holder} />.
          </>
        )}
      </p>
      <Rows caption={`Runs that wait: ${key ?? reason}`} columns={['Place', 'Name', 'Run', 'Since', 'Why']}>
        {waiting.map(({ runId, name, tenant, place, since, message }) => (
          <tr key={runId}>
            <Cell name="Place">{place}</Cell>
            <Cell name="Name">
              {name} <span class="quiet">{tenant}</span>
            </Cell>
            <Cell name="Run">
              <RunLink id={runId} />
            </Cell>
            <Cell name="Since">
              <Time at={since} now={now} />
            </Cell>
            <Cell name="Why">{message}</Cell>
          </tr>
        ))}
      </Rows>
    </Section>
  );
}

export function Targets({ isKnown }: { readonly isKnown: boolean }): JSX.Element {
  const live = useLive<{ readonly checks: readonly TargetCheck[] }>('/api/targets');
  return (
    <>
      <Title name="Targets">Targets</Title>
      {isKnown ? (
        <Loaded live={live}>
          {({ checks }) => (
            <Rows caption="Checks of targets" columns={['State', 'Target', 'Namespace', 'Check', 'Seen', 'To do']}>
              {checks.map(({ target, namespace = '', name, state, message, fix }) => (
                <tr key={`${target}/${namespace}/${name}`}>
                  <Cell name="State">
                    <State of={state} />
                  </Cell>
                  <Cell name="Target">{target}</Cell>
                  <Cell name="Namespace">{namespace}</Cell>
                  <Cell name="Check">{name}</Cell>
                  <Cell name="Seen">{message}</Cell>
                  <Cell name="To do">{state === 'ok' ? '' : fix}</Cell>
                </tr>
              ))}
            </Rows>
          )}
        </Loaded>
      ) : (
        <Missing what="configuration" command="flink-dispatch dashboard --config infra/dispatch.yml" />
      )}
    </>
  );
}

export function Missing({ what, command }: { readonly what: string; readonly command: string }): JSX.Element {
  return (
    <>
      <p>The dashboard was started without a {what}. With it, this is shown here:</p>
      <Command text={command} />
    </>
  );
}
