import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { EvidenceFile } from '../../../lib/view/evidence-file.ts';
import type { CauseView } from '../../../lib/view/run-view.ts';
import type { Explanation } from '../../../lib/verdict/decide.ts';
import { useLive } from './live.ts';
import { Cell, Loaded, Rows, State, Text, Time } from './parts.tsx';

/** Why it ended so, what to do, and what that rests on. */
export function Cause({ of: cause, runId }: { readonly of: CauseView; readonly runId: string }): JSX.Element {
  const { state, reason, reasonClass, message, todo, at, field, rule, ruleText, rootException, stackTrace, evidence } =
    cause;
  return (
    <div class={`cause cause-${state}`}>
      <p class="said">
        <State of={state} /> <strong>{reason}</strong> <span class="quiet">({reasonClass})</span> <Time at={at} />
      </p>
      <p class="message">{message}</p>
      {field !== undefined && (
        <p>
          Field <code>{field}</code>
        </p>
      )}
      <p>{todo}</p>
      {rootException !== undefined && <Text label="Root exception">{rootException}</Text>}
      {stackTrace !== undefined && (
        <details>
          <summary>Stack trace</summary>
          <Text label="Stack trace">{stackTrace}</Text>
        </details>
      )}
      {evidence.length > 0 && (
        <ul class="evidence" aria-label="What it rests on">
          {evidence.map(({ text, file }) => (
            <li key={text}>{file ? <a href={logAddress(runId, file)}>{text}</a> : text}</li>
          ))}
        </ul>
      )}
      {rule !== undefined && (
        <p class="quiet">
          Decided by the rule <code>{rule}</code>
          {ruleText !== undefined && `: ${ruleText}`}.
        </p>
      )}
    </div>
  );
}

function logAddress(runId: string, { attempt, name, find }: EvidenceFile): string {
  const query = new URLSearchParams({ log: `${attempt}/${name}`, ...(find === undefined ? {} : { find }) });
  return `/runs/${runId}?${query}`;
}

interface Decisions {
  readonly decisions: readonly (Explanation & {
    readonly file: string;
    readonly takenAt: string;
    readonly recorded: { readonly rule: string; readonly kind: string };
    readonly agrees: boolean;
  })[];
}

const RESULTS = { decided: '=> decided', 'also-holds': 'also holds', 'not-held': 'no', 'not-applicable': '–' } as const;

/** Every rule of the table, and what it saw; read when it is asked for. */
export function Rules({ runId, attempt }: { readonly runId: string; readonly attempt: number }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Every rule, and what it saw (attempt {attempt})</summary>
      {isOpen && <RuleTables runId={runId} attempt={attempt} />}
    </details>
  );
}

function RuleTables({ runId, attempt }: { readonly runId: string; readonly attempt: number }): JSX.Element {
  const live = useLive<Decisions>(`/api/runs/${runId}/attempts/${attempt}/decisions`);
  return (
    <Loaded live={live}>
      {({ decisions }) => (
        <>
          {decisions.map(({ file, takenAt, table, rows, abortRows, stopRows, agrees, recorded }) => (
            <div key={file}>
              <p class="quiet">
                {file}, taken <Time at={Date.parse(takenAt)} /> by {table}
              </p>
              {!agrees && (
                <p class="failure">
                  The rules of this version decide otherwise than those of that time: {recorded.rule}, {recorded.kind}
                </p>
              )}
              <Rows caption={`Rules of ${table}`} columns={['Result', 'Rule', 'Why']}>
                {[...rows, ...abortRows, ...stopRows].map(({ rule, result, why }, index) => (
                  <tr key={`${rule}-${index}`} class={result === 'decided' ? 'decided' : ''}>
                    <Cell name="Result">{RESULTS[result]}</Cell>
                    <Cell name="Rule">
                      <code>{rule}</code>
                    </Cell>
                    <Cell name="Why">{why}</Cell>
                  </tr>
                ))}
              </Rows>
            </div>
          ))}
        </>
      )}
    </Loaded>
  );
}
