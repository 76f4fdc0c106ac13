/**
 * Finds the circles of a graph of imports, with Tarjan's algorithm.
 *
 * @param imports files by the file that imports them
 * @returns each group of files that reach one another, sorted; a file that imports itself is a group of one
 */
export function circlesIn(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];

  const lower = (file: string, to: number): void => {
    lowest.set(file, Math.min(lowest.get(file) ?? to, to));
  };

  function visit(file: string): void {
    index.set(file, index.size);
    lower(file, index.size - 1);
    stack.push(file);
    for (const next of imports.get(file) ?? []) {
      const seenAt = index.get(next);
      if (seenAt === undefined) {
        visit(next);
        lower(file, lowest.get(next) ?? Infinity);
      } else if (stack.includes(next)) lower(file, seenAt);
    }
    if (lowest.get(file) === index.get(file)) close(file);
  }

  /** What is on the stack since this file is its group. */
  function close(file: string): void {
    const group = stack.splice(stack.indexOf(file)).sort();
    if (group.length > 1 || imports.get(file)?.includes(file) === true) circles.push(group);
  }

  for (const file of imports.keys()) if (!index.has(file)) visit(file);
  return circles;
}
