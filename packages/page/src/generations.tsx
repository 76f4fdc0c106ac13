import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { FieldChange } from '../../../lib/view/field-diff.ts';
import type { StreamView } from '../../../lib/view/stream-view.ts';
import { useLive } from './live.ts';
import { mayWrite } from './login.ts';
import { Ask } from './orders.tsx';
import { Cell, Loaded, Rows, Section, Time } from './parts.tsx';

/** What was wanted of a stream, and what changed from one to the next. */
export function Generations({
  stream: { generations },
  path,
  mayAct,
}: {
  readonly stream: StreamView;
  readonly path: string;
  readonly mayAct: boolean;
}): JSX.Element {
  return (
    <Section name="Generations">
      <Rows caption="Generations" columns={['Generation', 'Is', 'Time', 'By', 'Flink', 'Note', 'Go there']}>
        {generations.map(({ number, marks, at, by, flinkVersion, rejected, rollbackOf, order }) => (
          <tr key={number}>
            <Cell name="Generation">{number}</Cell>
            <Cell name="Is">{marks.join(', ')}</Cell>
            <Cell name="Time">
              <Time at={at} />
            </Cell>
            <Cell name="By">{by}</Cell>
            <Cell name="Flink">{flinkVersion}</Cell>
            <Cell name="Note">{rejected ?? (rollbackOf === undefined ? '' : `again generation ${rollbackOf}`)}</Cell>
            <Cell name="Go there">{order && mayAct && mayWrite() && <Ask order={order} path={path} />}</Cell>
          </tr>
        ))}
      </Rows>
      {generations.map(({ number }, index) => {
        const before = generations[index + 1]?.number;
        return before !== undefined && <Changes key={number} path={path} from={before} to={number} />;
      })}
    </Section>
  );
}

/** What changed from one generation to the next; read when it is asked for. */
function Changes({ path, from, to }: { readonly path: string; readonly from: number; readonly to: number }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        What changed from generation {from} to {to}
      </summary>
      {isOpen && (
        <ChangeRows address={`${path}/changes?from=${from}&to=${to}`} caption={`Changes to generation ${to}`} />
      )}
    </details>
  );
}

function ChangeRows({ address, caption }: { readonly address: string; readonly caption: string }): JSX.Element {
  const live = useLive<{ readonly changes: readonly FieldChange[] }>(address);
  return (
    <Loaded live={live}>
      {({ changes }) =>
        changes.length === 0 ? (
          <p>Nothing of its job.</p>
        ) : (
          <Rows caption={caption} columns={['Field', 'Before', 'After']}>
            {changes.map(({ field, before, after }) => (
              <tr key={field}>
                <Cell name="Field">
                  <code>{field}</code>
                </Cell>
                <Cell name="Before">{before !== undefined && <code>{JSON.stringify(before)}</code>}</Cell>
                <Cell name="After">{after !== undefined && <code>{JSON.stringify(after)}</code>}</Cell>
              </tr>
            ))}
          </Rows>
        )
      }
    </Loaded>
  );
}
