import { useEffect, useState } from 'preact/hooks';
import { logInAnew, readHeaders } from './login.ts';

export interface Failure {
  readonly message: string;
  readonly todo?: string;
}

/** What was last read, and why there is nothing newer. */
export interface Live<T> {
  readonly data?: T;
  readonly failure?: Failure;
}

/** Until the next try after one that failed. */
const AFTER_FAILURE = 5_000;

export async function ask<T>(address: string, init: RequestInit = {}): Promise<T> {
  const headers = { ...readHeaders(), ...(init.headers as Record<string, string> | undefined) };
  const answer = await fetch(address, { ...init, headers }).catch(() => {
    throw new Error('No answer: is the dashboard still running, and the network there?');
  });
  const value: unknown = await answer.json();
  if (answer.ok) return value as T;
  if (answer.status === 401 && init.method === undefined) logInAnew();
  const { message, todo } = value as Failure;
  throw Object.assign(new Error(message), { todo });
}

/** Has the browser keep what an address answers: a link alone could not say who asks. */
export async function save(address: string, name: string): Promise<void> {
  const answer = await fetch(address, { headers: readHeaders() });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/**
 * Reads an address again and again, while somebody can see the page. What is the same as before is the same object, so
 * that nothing is drawn again. `every` absent: once.
 */
export function useLive<T>(address: string, every?: number): Live<T> {
  const [live, setLive] = useState<{ readonly address: string } & Live<T>>({ address });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known = '';
    let isOver = false;
    const first = reading();
    const look = async (): Promise<void> => {
      const next = await ask<T>(address).then(
        (data) => ({ data }),
        (error: Error & { todo?: string }) => ({ failure: failureOf(error) }),
      );
      first();
      if (isOver) return;
      const text = JSON.stringify(next);
      if (text !== known) setLive((last) => ({ address, ...(last.address === address ? keep(last) : {}), ...next }));
      known = text;
      if (every !== undefined && !document.hidden) plan('failure' in next ? AFTER_FAILURE : every);
    };
    const plan = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => void look(), ms);
    };
    const seen = (): void => {
      if (every !== undefined && !document.hidden) plan(0);
    };
    void look();
    document.addEventListener('visibilitychange', seen);
    return () => {
      first();
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', seen);
    };
  }, [address, every]);
  return live.address === address ? live : {};
}

/** First answers that are still to come: the page says how many, so that whoever waits for all of it can. */
let pending = 0;

/** One more; answers what says that it has come. */
function reading(): () => void {
  const count = (by: number): void => {
    pending += by;
    document.documentElement.dataset['reading'] = String(pending);
  };
  let isOpen = true;
  count(1);
  return () => {
    if (isOpen) count(-1);
    isOpen = false;
  };
}

function failureOf({ message, todo }: Error & { todo?: string }): Failure {
  return todo === undefined ? { message } : { message, todo };
}

function keep<T>({ data }: Live<T>): Live<T> {
  return data === undefined ? {} : { data };
}

/** The time, read anew every second while something on the screen counts it. */
export function useNow(counts: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!counts) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [counts]);
  return now;
}
