import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AttemptView, RunView } from '../../../lib/view/run-view.ts';
import { Cause, Rules } from './cause.tsx';
import { save, useLive, useNow } from './live.ts';
import type { Place } from './location.ts';
import { Logs } from './logs.tsx';
import { Metrics } from './metrics.tsx';
import { Orders } from './orders.tsx';
import { Command, Facts, Loaded, Section, State, Text, Time, Title } from './parts.tsx';
import { Pods } from './pods.tsx';
import { Timeline } from './timeline.tsx';

const EVERY = 1_000;

export function Run({ id, query, mayAct }: { readonly id: string; readonly mayAct: boolean } & Pick<Place, 'query'>) {
  const [isOver, setOver] = useState(false);
  const live = useLive<RunView>(`/api/runs/${encodeURIComponent(id)}`, isOver ? undefined : EVERY);
  if (live.data?.isOver === true && !isOver) setOver(true);
  return (
    <>
      <Title name={live.data?.row.name ?? 'Run'}>
        {live.data?.row.name ?? 'Run'} <code class="quiet">{live.data?.row.runId ?? id}</code>
      </Title>
      <Loaded live={live}>{(run) => <Screen run={run} query={query} mayAct={mayAct} />}</Loaded>
    </>
  );
}

function Screen({ run, query, mayAct }: { readonly run: RunView; readonly mayAct: boolean } & Pick<Place, 'query'>) {
  const { row, cause, steps, attempts, events, commands, orders, record } = run;
  const now = useNow(steps.some(({ to }) => to === undefined));
  const from = steps[0]?.from ?? row.acceptedAt;
  const until = Math.max(from, ...steps.map(({ to = now }) => to));
  return (
    <>
      <Now run={run} />
      {cause && (
        <Section name="Cause">
          <Cause of={cause} runId={row.runId} />
          {attempts.map(
            ({ number, hasDecision }) => hasDecision && <Rules key={number} runId={row.runId} attempt={number} />,
          )}
        </Section>
      )}
      <Section name="Timeline">
        <Timeline steps={steps} now={now} />
        {attempts.map(
          ({ number, hasDecision }) =>
            hasDecision && <Pods key={number} runId={row.runId} attempt={number} from={from} until={until} />,
        )}
      </Section>
      <Section name="Attempts">
        {attempts.length === 0 ? <p class="quiet">None yet.</p> : attempts.map(attemptPart)}
      </Section>
      <Metrics runId={row.runId} attempts={attempts} isLive={!run.isOver} />
      <Section name="Logs">
        <Logs runId={row.runId} attempts={attempts} chosen={query.get('log')} find={query.get('find')} />
      </Section>
      <Section name="Go on">
        <Orders of={orders} path={`/api/runs/${row.runId}`} mayAct={mayAct} />
        {commands.map((text) => (
          <Command text={text} key={text} />
        ))}
        <button type="button" onClick={() => void save(`/api/runs/${row.runId}/report.html`, `${row.runId}.html`)}>
          Save its report, one file
        </button>
      </Section>
      <Section name="Job">
        <Job run={run} />
      </Section>
      <Section name="Events">
        {events.map((event) => (
          <details key={event.id}>
            <summary>
              {event.data.sequence}. {event.data.state} <Time at={Date.parse(event.time)} />
            </summary>
            <Text label={`Event ${event.data.sequence}`}>{JSON.stringify(event, null, 2)}</Text>
          </details>
        ))}
      </Section>
      <Section name="Record">
        <details>
          <summary>As it is stored, without secrets</summary>
          <Text label="The record, as JSON">{JSON.stringify(record, null, 2)}</Text>
        </details>
      </Section>
    </>
  );
}

/** What it does at present, and what stands in its way. */
function Now({ run }: { readonly run: RunView }): JSX.Element {
  const { row, waiting, stepError, unreachableSince, cancelRequested, deployment } = run;
  return (
    <div class="now">
      <p aria-live="polite">
        <State of={row.state} /> accepted <Time at={row.acceptedAt} /> from a {row.trigger}
        {row.tenant !== undefined && ` of the tenant ${row.tenant}`}
        {deployment && (
          <>
            , of the stream <a href={`/streams/${deployment.id}`}>{deployment.id}</a>, generation{' '}
            {deployment.generation}
          </>
        )}
      </p>
      {waiting && (
        <p>
          Waits since <Time at={waiting.since} />: <strong>{waiting.reason}</strong>. {waiting.message}. {waiting.todo}
        </p>
      )}
      {cancelRequested && (
        <p>
          Asked to stop by {cancelRequested.by} <Time at={cancelRequested.at} />
        </p>
      )}
      {unreachableSince !== undefined && (
        <p>
          The JobManager has not answered since <Time at={unreachableSince} />
        </p>
      )}
      {stepError && (
        <p class="failure">
          Its last {stepError.count} steps failed, since <Time at={stepError.since} />: {stepError.message}
        </p>
      )}
    </div>
  );
}

function attemptPart(attempt: AttemptView): JSX.Element {
  const { number, clusterId, jobId, runtime, restoredFrom, snapshot, cause } = attempt;
  return (
    <div class="attempt" key={number}>
      <h3>Attempt {number}</h3>
      <Facts
        of={[
          ['Cluster', <code key="cluster">{clusterId}</code>],
          ['Job', <code key="job">{jobId}</code>],
          ['Flink runs it as', runtime],
          ['Started from', restoredFrom],
          ['Left behind', snapshot],
        ]}
      />
      {cause && (
        <p>
          <State of={cause.state} /> {cause.reason}: {cause.message}
        </p>
      )}
    </div>
  );
}

function Job({ run: { job } }: { readonly run: RunView }): JSX.Element {
  if (job === undefined) return <p class="quiet">It was rejected before its job could be read.</p>;
  const { target, namespace, mode, flinkVersion, image, jar, sha256, args, notes, concurrencyKey } = job;
  return (
    <>
      <Facts
        of={[
          ['Target', `${target}, namespace ${namespace}`],
          ['Mode', `${mode}, Flink ${flinkVersion}`],
          ['Image', image],
          ['Jar', jar],
          ['SHA-256', sha256 && <code>{sha256}</code>],
          ['Arguments', args.length === 0 ? undefined : <code>{JSON.stringify(args)}</code>],
          ['Concurrency key', concurrencyKey],
        ]}
      />
      {notes.map((note) => (
        <p key={note}>Note: {note}</p>
      ))}
    </>
  );
}
