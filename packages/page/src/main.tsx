import { render, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { KEYS, onKey } from './keys.ts';
import { useLive } from './live.ts';
import { follow, usePlace, type Place } from './location.ts';
import { logIn, takeToken } from './login.ts';
import { Failed } from './parts.tsx';
import { Queues, Targets } from './places.tsx';
import { Run } from './run.tsx';
import { Runs } from './runs.tsx';
import { Schedules } from './schedules.tsx';
import { Stream, Streams } from './streams.tsx';

const SCREENS = ['runs', 'streams', 'queues', 'schedules', 'targets'] as const;

interface About {
  readonly ledger: string;
  readonly may: { readonly act: boolean; readonly targets: boolean; readonly schedules: boolean };
}

function Page(): JSX.Element {
  const place = usePlace();
  const about = useLive<About>('/api/about').data;
  const help = useRef<HTMLDialogElement>(null);
  const current = place.path[0] ?? 'runs';
  useEffect(() => {
    const key = (event: KeyboardEvent): void => onKey(event, () => help.current?.showModal());
    addEventListener('keydown', key);
    return () => removeEventListener('keydown', key);
  }, []);
  return (
    <div onClick={follow}>
      <a href="#content" class="skip">
        To the content
      </a>
      <header>
        <span class="brand">flink-dispatch</span>
        <nav aria-label="Screens">
          {SCREENS.map((name) => (
            <a href={`/${name}`} key={name} {...(current === name ? { 'aria-current': 'page' } : {})}>
              {name[0]?.toUpperCase()}
              {name.slice(1)}
            </a>
          ))}
        </nav>
        <span class="quiet ledger">{about?.ledger}</span>
        <button type="button" onClick={() => help.current?.showModal()} aria-label="Keys">
          ?
        </button>
      </header>
      <main id="content">{about === undefined ? <p class="loading">Loading…</p> : screenOf(place, about)}</main>
      <dialog ref={help} aria-label="Keys">
        <dl class="facts">
          {KEYS.map(([key, text]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{text}</dd>
            </div>
          ))}
        </dl>
        <button type="button" onClick={() => help.current?.close()}>
          Close
        </button>
      </dialog>
    </div>
  );
}

function screenOf({ path: [screen = 'runs', id], query }: Place, { may }: About): JSX.Element {
  switch (screen) {
    case 'runs':
      return id === undefined ? <Runs query={query} /> : <Run key={id} id={id} query={query} mayAct={may.act} />;
    case 'streams':
      return id === undefined ? <Streams /> : <Stream key={id} id={id} mayAct={may.act} />;
    case 'queues':
      return <Queues />;
    case 'schedules':
      return <Schedules isKnown={may.schedules} />;
    case 'targets':
      return <Targets isKnown={may.targets} />;
    default:
      return <p>There is no such screen.</p>;
  }
}

function show(content: JSX.Element): void {
  const root = document.getElementById('page');
  root?.replaceChildren();
  if (root !== null) render(content, root);
}

takeToken();
logIn().then(
  (isIn) => isIn && show(<Page />),
  ({ message }: Error) =>
    show(
      <main>
        <h1>Not logged in</h1>
        <Failed message={message} />
        <p>
          <a href="/">Log in anew</a>
        </p>
      </main>,
    ),
);
