import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { markOf } from '../../../lib/view/words.ts';
import { ago, fullTime } from './format.ts';
import type { Failure, Live } from './live.ts';

/** A state as a word with a mark: never by its colour alone. */
export function State({ of: state }: { readonly of: string }): JSX.Element {
  return (
    <span class={`state state-${state}`}>
      <span aria-hidden="true">{markOf(state)}</span> {state}
    </span>
  );
}

export function Time({ at, now }: { readonly at: number; readonly now?: number }): JSX.Element {
  const full = fullTime(at);
  return (
    <time dateTime={new Date(at).toISOString()} title={full}>
      {now === undefined ? full : ago(at, now)}
    </time>
  );
}

/** The heading of a screen; the reader's place after a move to it. */
export function Title({
  children,
  name,
}: {
  readonly children: ComponentChildren;
  readonly name: string;
}): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${name} · flink-dispatch`;
  }, [name]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

export function Section({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  const id = name.toLowerCase().replace(/\W+/g, '-');
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      {children}
    </section>
  );
}

export function Failed({ message, todo }: Failure): JSX.Element {
  return (
    <p class="failure" role="alert">
      <strong>No answer.</strong> {message} {todo}
    </p>
  );
}

/** What was read, with what went wrong since; room is kept while nothing was. */
export function Loaded<T>({
  live: { data, failure },
  children,
}: {
  readonly live: Live<T>;
  readonly children: (data: T) => JSX.Element;
}): JSX.Element {
  return (
    <>
      {failure && <Failed {...failure} />}
      {data === undefined ? failure === undefined && <p class="loading">Loading…</p> : children(data)}
    </>
  );
}

/** Text of others: a text node, whatever is in it. Long lines scroll, and the keyboard reaches it. */
export function Text({ children, label }: { readonly children: string; readonly label: string }): JSX.Element {
  return (
    <pre tabIndex={0} role="region" aria-label={label}>
      {children}
    </pre>
  );
}

export function Command({ text }: { readonly text: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => setCopied(true));
  };
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" onClick={copy} aria-label={`Copy ${text}`}>
        {copied ? 'Copied' : 'Copy'}
      </button>
    </div>
  );
}

export function Facts({ of: facts }: { readonly of: readonly (readonly [string, ComponentChildren])[] }): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined || value === '' ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

/** A table that turns into one block for each row on a narrow screen: cells then bear the names of their columns. */
export function Rows({
  caption,
  columns,
  children,
}: {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <table class="rows">
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col" key={column}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

export function Cell({
  name,
  children,
}: {
  readonly name: string;
  readonly children?: ComponentChildren;
}): JSX.Element {
  return <td data-name={name}>{children}</td>;
}
