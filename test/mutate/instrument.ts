import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Instrumenter } from '@stryker-mutator/instrumenter';
import { MUTANTS_FILE, type SourceMutant } from './mutants.ts';

const silent = { isTraceEnabled: no, isDebugEnabled: no, isInfoEnabled: no, isWarnEnabled: no, isErrorEnabled: no };
const nothing = (): void => undefined;
const LOG = {
  ...silent,
  isFatalEnabled: no,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};

function no(): boolean {
  return false;
}

/**
 * The sources under `room`, a folder or a file, with every mutant that Stryker knows behind a switch; those that only change
 * a text when `texts`.
 */
export async function instrument(room: string, texts: boolean): Promise<ReadonlyMap<string, string>> {
  const names = statSync(room).isDirectory()
    ? readdirSync(room, { recursive: true, encoding: 'utf8' }).map((name) => join(room, name))
    : [room];
  const sources = names
    .filter((name) => name.endsWith('.ts'))
    .map((name) => ({ name, mutate: true, content: readFileSync(name, 'utf8') }));
  const { files, mutants } = await new Instrumenter(LOG).instrument(sources, {
    plugins: null,
    excludedMutations: texts ? [] : ['StringLiteral'],
    ignorers: [],
  });
  const linesOf = new Map(sources.map(({ name, content }) => [name, content.split('\n')]));
  const listed = mutants.map(({ id, fileName, location: { start, end }, mutatorName, replacement }): SourceMutant => {
    const lines = linesOf.get(fileName)?.slice(start.line, end.line + 1) ?? [];
    const last = lines.length - 1;
    const was = lines.map((line, index) =>
      line.slice(index === 0 ? start.column : 0, index === last ? end.column : undefined),
    );
    return { id, file: fileName, line: start.line + 1, kind: mutatorName, was: was.join('\n'), becomes: replacement };
  });
  writeFileSync(MUTANTS_FILE, JSON.stringify(listed));
  return new Map(files.map(({ name, content }) => [name, content]));
}
