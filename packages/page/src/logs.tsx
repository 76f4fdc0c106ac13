import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { AttemptView } from '../../../lib/view/run-view.ts';
import { plural } from './format.ts';
import { save } from './live.ts';
import { go } from './location.ts';
import { readHeaders } from './login.ts';

/** Lines that are drawn at once; a search is over all. */
const MOST_LINES = 2_000;

/** What was kept of the attempts, the newest first; `chosen` is `<attempt>/<name>`, as the address says. */
export function Logs({
  runId,
  attempts,
  chosen,
  find,
}: {
  readonly runId: string;
  readonly attempts: readonly AttemptView[];
  readonly chosen: string | null;
  /** What is looked for in it at first. */
  readonly find: string | null;
}): JSX.Element {
  const files = attempts.toReversed().flatMap(({ number, artifacts }) =>
    [...artifacts]
      .sort((a, b) => rank(a.name) - rank(b.name))
      .map(({ name, pod, previous }) => ({
        ...{ value: `${number}/${name}`, attempt: number, name },
        group: groupOf(number, pod, previous),
      })),
  );
  const file = files.find(({ value }) => value === chosen) ?? files[0];
  const [search, setSearch] = useState(find ?? '');
  useEffect(() => setSearch(find ?? ''), [find, chosen]);
  const section = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (chosen !== null) section.current?.scrollIntoView({ block: 'start' });
  }, [chosen]);
  if (file === undefined) return <p class="quiet">Nothing was kept yet.</p>;
  const choose = (value: string): void => go(`/runs/${runId}?log=${encodeURIComponent(value)}`, true);
  return (
    <div ref={section}>
      <div class="filters">
        <label>
          File
          <select value={file.value} onChange={(event) => choose(event.currentTarget.value)}>
            {[...new Set(files.map(({ group }) => group))].map((group) => (
              <optgroup label={group} key={group}>
                {files
                  .filter((one) => one.group === group)
                  .map(({ value, name }) => (
                    <option value={value} key={value}>
                      {name}
                    </option>
                  ))}
              </optgroup>
            ))}
          </select>
        </label>
        <label>
          Find
          <input
            type="search"
            name="find"
            value={search}
            spellcheck={false}
            onInput={(event) => setSearch(event.currentTarget.value)}
          />
        </label>
      </div>
      <Lines address={addressOf(runId, file)} search={search} label={`${file.name} of attempt ${file.attempt}`} />
    </div>
  );
}

function groupOf(attempt: number, pod: string | undefined, previous: true | undefined): string {
  const what = pod === undefined ? 'what it rests on' : pod.includes('-taskmanager-') ? 'TaskManagers' : 'JobManager';
  return `Attempt ${attempt}: ${what}${previous === true ? ', before its restart' : ''}`;
}

/** JobManagers' logs first, then TaskManagers', then the rest. */
function rank(name: string): number {
  if (!name.endsWith('.log')) return 3;
  return name.includes('-taskmanager-') ? 2 : name.endsWith('.previous.log') ? 1 : 0;
}

function addressOf(runId: string, { attempt, name }: { readonly attempt: number; readonly name: string }): string {
  return `/api/runs/${runId}/attempts/${attempt}/files/${name.split('/').map(encodeURIComponent).join('/')}`;
}

function Lines({
  address,
  search,
  label,
}: {
  readonly address: string;
  readonly search: string;
  readonly label: string;
}) {
  const [text, setText] = useState<string>();
  useEffect(() => {
    setText(undefined);
    const gone = new AbortController();
    void fetch(address, { signal: gone.signal, headers: readHeaders() })
      .then((answer) => (answer.ok ? answer.text() : 'It is no longer in the ledger.'))
      .then(setText, () => undefined);
    return () => gone.abort();
  }, [address]);
  const lines = useMemo(() => (text ?? '').trimEnd().split('\n'), [text]);
  const wanted = search.toLowerCase();
  const found = useMemo(
    () => (wanted === '' ? lines : lines.filter((line) => line.toLowerCase().includes(wanted))),
    [lines, wanted],
  );
  const shown = found.slice(-MOST_LINES);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return (
    <>
      <p class="count" aria-live="polite">
        {text === undefined ? 'Loading…' : plural(found.length, 'line')}
        {found.length > shown.length && `, the last ${MOST_LINES} shown`}
        <button type="button" class="plain" onClick={() => void save(address, label)}>
          save
        </button>
      </p>
      <pre class="log" ref={box} tabIndex={0} role="region" aria-label={label}>
        {wanted === ''
          ? shown.join('\n')
          : shown.map((line, index) => (
              <Found key={index} line={line} wanted={wanted} isLast={index === shown.length - 1} />
            ))}
      </pre>
    </>
  );
}

/** A line with what was looked for marked. */
function Found({
  line,
  wanted,
  isLast,
}: {
  readonly line: string;
  readonly wanted: string;
  readonly isLast: boolean;
}): JSX.Element {
  const at = line.toLowerCase().indexOf(wanted);
  return (
    <>
      {line.slice(0, at)}
      <mark>{line.slice(at, at + wanted.length)}</mark>
      {line.slice(at + wanted.length)}
      {isLast ? '' : '\n'}
    </>
  );
}
