import type { JSX } from 'preact';
import type { PodsView, PodView } from '../../../lib/view/pods-view.ts';
import { span } from '../../../lib/view/words.ts';
import { useLive } from './live.ts';
import { Cell, Rows, Time } from './parts.tsx';
import { Track } from './timeline.tsx';

/** Pods of an attempt as they were seen last, on the run's own time, and what Kubernetes told of them. */
export function Pods({
  runId,
  attempt,
  from,
  until,
}: {
  readonly runId: string;
  readonly attempt: number;
  /** The whole time of the run. */
  readonly from: number;
  readonly until: number;
}): JSX.Element | null {
  const { data } = useLive<{ readonly pods: PodsView | null }>(`/api/runs/${runId}/attempts/${attempt}/pods`);
  const seen = data?.pods ?? undefined;
  if (seen === undefined || (seen.pods.length === 0 && seen.events.length === 0)) return null;
  const { at, pods, events } = seen;
  return (
    <>
      <h3>
        Pods of attempt {attempt} <span class="quiet">at its end</span>
      </h3>
      {pods.length > 0 && (
        <Rows caption={`Pods of attempt ${attempt}`} columns={['Pod', 'Node', 'Made', 'Waited', 'Ran', 'Note', 'Span']}>
          {pods.map((pod) => (
            <tr key={pod.name}>
              <Cell name="Pod">{pod.name}</Cell>
              <Cell name="Node">{pod.node}</Cell>
              <Cell name="Made">
                <Time at={pod.createdAt} />
              </Cell>
              <Cell name="Waited">{span((pod.startedAt ?? at) - pod.createdAt)}</Cell>
              <Cell name="Ran">{pod.startedAt !== undefined && span((pod.finishedAt ?? at) - pod.startedAt)}</Cell>
              <Cell name="Note">
                {pod.restarts > 0 && `${pod.restarts} × restarted `}
                {pod.note}
              </Cell>
              <Track from={from} until={until} parts={partsOf(pod, at)} />
            </tr>
          ))}
        </Rows>
      )}
      {events.length > 0 && (
        <details>
          <summary>What Kubernetes told of attempt {attempt}</summary>
          <Rows caption={`Kubernetes’ events of attempt ${attempt}`} columns={['Last', 'Object', 'Reason', 'Message']}>
            {events.map(({ lastSeen, object, reason, message, count }) => (
              <tr key={`${object}-${reason}-${lastSeen}-${message}`}>
                <Cell name="Last">
                  <Time at={lastSeen} />
                </Cell>
                <Cell name="Object">{object}</Cell>
                <Cell name="Reason">
                  {reason}
                  {count > 1 && ` × ${count}`}
                </Cell>
                <Cell name="Message">{message}</Cell>
              </tr>
            ))}
          </Rows>
        </details>
      )}
    </>
  );
}

function partsOf({ createdAt, startedAt, finishedAt }: PodView, at: number) {
  const begun = startedAt ?? at;
  const waits = { kind: 'starting', from: createdAt, to: begun };
  return startedAt === undefined ? [waits] : [waits, { kind: 'running', from: begun, to: finishedAt ?? at }];
}
