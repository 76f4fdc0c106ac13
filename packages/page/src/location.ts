import { useEffect, useState } from 'preact/hooks';

/** Where the reader is: the address is the only state of a screen, so that it can be sent and gone back to. */
export interface Place {
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const MOVED = 'page-moved';

export function go(address: string, replace = false): void {
  history[replace ? 'replaceState' : 'pushState'](null, '', address);
  dispatchEvent(new Event(MOVED));
}

export function usePlace(): Place {
  const [place, setPlace] = useState(read);
  useEffect(() => {
    const moved = (): void => setPlace(read());
    addEventListener('popstate', moved);
    addEventListener(MOVED, moved);
    return () => {
      removeEventListener('popstate', moved);
      removeEventListener(MOVED, moved);
    };
  }, []);
  return place;
}

function read(): Place {
  const parts = location.pathname.split('/').filter((part) => part !== '');
  return { path: parts.map(decodeURIComponent), query: new URLSearchParams(location.search) };
}

/** Follows a link of this page without loading it anew; what asks for a new tab is left to the browser. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest('a');
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (link === null || !isPlain || link.origin !== location.origin || link.target !== '' || link.hash !== '') return;
  if (link.pathname.startsWith('/api/')) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
