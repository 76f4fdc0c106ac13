const MAX = 200;

/** Whether a relative path stays below its folder and is an ordinary file's: for archives, from which it is unpacked. */
export function isInnerPath(path: string): boolean {
  const parts = path.split('/');
  if (path.length > MAX || !/^[\x21-\x7e]+$/.test(path) || path.includes('\\')) return false;
  // A layer of an image says that a file is removed by a name that begins with `.wh.`.
  return parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.startsWith('.wh.'));
}
