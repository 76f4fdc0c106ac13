import { go } from './location.ts';

/** Keys that do something outside of fields, as the help shows them. */
export const KEYS = [
  ['/', 'Filter by name'],
  ['j', 'Next row'],
  ['k', 'Row before'],
  ['Enter', 'Open the row'],
  ['r', 'Runs'],
  ['s', 'Streams'],
  ['q', 'Queues'],
  ['c', 'Schedules'],
  ['t', 'Targets'],
  ['?', 'This help'],
] as const;

const SCREENS: Readonly<Record<string, string>> = {
  ...{ r: '/runs', s: '/streams', q: '/queues', c: '/schedules', t: '/targets' },
};

export function onKey(event: KeyboardEvent, help: () => void): void {
  const target = event.target as Element;
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select, textarea, dialog') !== null)
    return;
  const screen = SCREENS[event.key];
  if (screen !== undefined) go(screen);
  else if (event.key === '?') help();
  else if (event.key === '/') document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
  else if (event.key === 'j' || event.key === 'k') step(event.key === 'j' ? 1 : -1);
  else return;
  event.preventDefault();
}

/** Moves the focus among the links of rows. */
function step(by: number): void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>('a.row-link')];
  const at = links.findIndex((link) => link === document.activeElement);
  links[at === -1 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}
