/** A node of a graph without circles, and the nodes that it reads from. */
export interface GraphNode {
  readonly id: string;
  readonly inputs: readonly string[];
}

/** Where a node stands: its column, from the sources on, and its place in that. */
export interface Placed {
  readonly column: number;
  readonly row: number;
}

/**
 * Columns by the longest way from a source; in each, nodes stand near those that they read from. Inputs that are not among the
 * nodes are passed over, and so is what would close a circle.
 */
export function layout(nodes: readonly GraphNode[]): ReadonlyMap<string, Placed> {
  const columns = columnsOf(nodes);
  const placed = new Map<string, Placed>();
  const most = Math.max(-1, ...columns.values());
  for (let column = 0; column <= most; column += 1) {
    const own = nodes.filter(({ id }) => columns.get(id) === column);
    const wish = (node: GraphNode): number => {
      const rows = node.inputs.flatMap((id) => placed.get(id)?.row ?? []);
      return rows.length === 0 ? own.indexOf(node) : rows.reduce((sum, row) => sum + row, 0) / rows.length;
    };
    const sorted = own.map((node) => ({ node, at: wish(node) })).sort((a, b) => a.at - b.at);
    for (const [row, { node }] of sorted.entries()) placed.set(node.id, { column, row });
  }
  return placed;
}

function columnsOf(nodes: readonly GraphNode[]): ReadonlyMap<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const known = new Map<string, number>();
  const columnOf = (node: GraphNode, way: readonly string[]): number => {
    const found = known.get(node.id);
    if (found !== undefined) return found;
    const inputs = node.inputs.flatMap((id) => (way.includes(id) || id === node.id ? [] : (byId.get(id) ?? [])));
    const column = Math.max(-1, ...inputs.map((input) => columnOf(input, [...way, node.id]))) + 1;
    known.set(node.id, column);
    return column;
  };
  for (const node of nodes) columnOf(node, []);
  return known;
}
