import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { OrderView, RunOrderKind, StreamOrderKind } from '../../../lib/view/orders.ts';
import { ask } from './live.ts';
import { mayWrite, writeHeaders } from './login.ts';
import { Command, Failed } from './parts.tsx';

type Order = OrderView<RunOrderKind | StreamOrderKind>;

/** What can be asked for: a button for each where this page may, and the command that does the same. */
export function Orders({
  of: orders,
  path,
  mayAct,
}: {
  readonly of: readonly Order[];
  /** `/api/runs/<id>` */
  readonly path: string;
  readonly mayAct: boolean;
}): JSX.Element {
  return (
    <>
      {mayAct && orders.length > 0 && !mayWrite() && (
        <p class="quiet">
          To ask for it here, open the address that the dashboard printed: it has the token for writes.
        </p>
      )}
      {orders.map((order) => (
        <div class="order" key={order.kind}>
          {mayAct && mayWrite() && <Ask order={order} path={path} />}
          <Command text={order.command} />
        </div>
      ))}
    </>
  );
}

/** Asks once for each press, whatever becomes of the answer. */
export function Ask({ order, path }: { readonly order: Order; readonly path: string }): JSX.Element {
  const { kind, label, question, to } = order;
  const [failure, setFailure] = useState<string>();
  const [answer, setAnswer] = useState<{ readonly runId?: string; readonly generation?: number }>();
  const [isAsked, setAsked] = useState(false);
  const press = (): void => {
    if (!confirm(question)) return;
    setAsked(true);
    setFailure(undefined);
    const body = kind === 'rollback' ? { acceptDuplicates: true } : { to };
    const init = { method: 'POST', headers: writeHeaders(), body: JSON.stringify(body) };
    ask<{ readonly runId?: string; readonly generation?: number }>(`${path}/${kind}`, init)
      .then(setAnswer)
      .catch(({ message }: Error) => setFailure(message))
      .finally(() => setAsked(kind === 'cancel' || kind === 'stop'));
  };
  return (
    <>
      <button type="button" class={kind === 'cancel' ? 'danger' : ''} disabled={isAsked} onClick={press}>
        {label}
      </button>
      <span class="answered" aria-live="polite">
        {answer !== undefined && (kind === 'rerun' || kind === 'replay') && answer.runId !== undefined && (
          <a href={`/runs/${answer.runId}`}>the new run</a>
        )}
        {answer?.generation !== undefined && `asked: generation ${answer.generation}`}
        {answer !== undefined && (kind === 'cancel' || kind === 'stop') && 'asked'}
      </span>
      {failure !== undefined && <Failed message={failure} />}
    </>
  );
}
