import { murmur3 } from './murmur3.ts';

/** A vertex of a plan, as `POST /jars/:id/plan` tells of it. */
export interface PlanNode {
  /** 32 hex digits: that of the first operator in its chain. */
  readonly id: string;
  readonly description: string;
  /** The ids of those that it reads. */
  readonly inputs: readonly string[];
}

/** The operators of a job: what Flink maps state to. */
export interface PlannedOperators {
  readonly ids: readonly string[];
  /** The names of those that the program gives no uid: Flink makes their ids of the shape of the job. At most 20. */
  readonly withoutUid: readonly string[];
  /** Whether `ids` has all of them. */
  readonly isComplete: boolean;
}

/** A plan with more tells of none. */
const MOST = 500;
const MOST_NAMES = 20;

const NONE: PlannedOperators = { ids: [], withoutUid: [], isComplete: false };

interface Operator {
  readonly node: PlanNode;
  /** How many had an id before it, where its own was made of that: it has no uid. */
  readonly position: number | undefined;
}

/**
 * A plan has the first operator of each chain alone, so a second one is made in which nothing is chained. There each operator is
 * a vertex. An id that is the hash of a uid is the same in both. One that Flink makes itself
 * (StreamGraphHasherV2) depends on what is chained to the operator, and is worked out from what both plans show.
 */
export function operatorsOf(chained: readonly PlanNode[], unchained: readonly PlanNode[]): PlannedOperators {
  if (unchained.length > MOST || unchained.some(isChain)) return NONE;
  const operators = inOrder(unchained).map((node) => ({ node, position: positionOf(node, unchained.length) }));
  const heads = new Set(chained.map(({ id }) => id));
  const ids = chainedIds(operators, heads);
  const named = operators.filter(({ position }) => position !== undefined).map(({ node }) => nameOf(node));
  // What was worked out is right when it leads to the plan that Flink made.
  const isComplete = [...heads].every((id) => ids.has(id)) && operators.length === unchained.length;
  return { ids: [...ids], withoutUid: named.slice(0, MOST_NAMES), isComplete };
}

/** Flink writes those of a chain below one another, or with arrows between them. */
function isChain({ description }: PlanNode): boolean {
  return /<br\/>.*[:+]- | -> /.test(description);
}

function nameOf({ description }: PlanNode): string {
  return description.replaceAll('<br/>', ' ').trim().slice(0, 100);
}

/** Those that are read before those that read them. A plan with a circle, which Flink has none of, loses what is in it. */
function inOrder(nodes: readonly PlanNode[]): readonly PlanNode[] {
  const done = new Set<string>();
  const ordered: PlanNode[] = [];
  let left = nodes;
  while (left.length > 0) {
    const next = left.filter(({ inputs }) => inputs.every((id) => done.has(id)));
    if (next.length === 0) break;
    for (const node of next) done.add(node.id);
    ordered.push(...next);
    left = left.filter(({ id }) => !done.has(id));
  }
  return ordered;
}

/** Without chains, an id of Flink's own is made of the position and of the ids of the inputs. */
function positionOf({ id, inputs }: PlanNode, count: number): number | undefined {
  for (let position = 0; position < count; position += 1) {
    if (idOf(position, 0, inputs) === id) return position;
  }
  return undefined;
}

/** Of an operator without uid, to which `chainedTo` others are chained. */
function idOf(position: number, chainedTo: number, inputs: readonly string[]): string {
  return inputs.reduce(mixed, localHash(position, chainedTo)).toString('hex');
}

function localHash(position: number, chainedTo: number): Buffer {
  const known = LOCAL.get(position * (MOST + 1) + chainedTo);
  if (known !== undefined) return known;
  const bytes = Buffer.alloc(4 * (1 + chainedTo));
  for (let at = 0; at < bytes.length; at += 4) bytes.writeInt32LE(position, at);
  const hash = murmur3(bytes);
  LOCAL.set(position * (MOST + 1) + chainedTo, hash);
  return hash;
}

const LOCAL = new Map<number, Buffer>();

function mixed(hash: Buffer, input: string): Buffer {
  const other = Buffer.from(input, 'hex');
  return Buffer.from(hash.map((byte, index) => (byte * 37) ^ (other[index] ?? 0)));
}

/** The ids in the plan with chains, of which `heads` are the first ones. */
function chainedIds(operators: readonly Operator[], heads: ReadonlySet<string>): ReadonlySet<string> {
  /** By the ids in the other plan. */
  const known = new Map<string, string>();
  for (const { node, position } of operators) {
    if (position === undefined) {
      known.set(node.id, node.id);
      continue;
    }
    const inputs = node.inputs.map((id) => known.get(id) ?? id);
    const readers = operators.filter((other) => other.node.inputs.includes(node.id));
    const ids = readers.map((_, count) => count).concat(readers.length);
    const guesses = ids.map((count) => idOf(position, count, inputs));
    const chainedTo = readers.filter((reader) => !isHead(reader, guesses, heads, operators)).length;
    known.set(node.id, guesses[chainedTo] ?? node.id);
  }
  return new Set(known.values());
}

/** Whether an operator begins a chain, whatever of `guesses` its input's id is. One with several inputs is chained to none. */
function isHead(
  { node, position }: Operator,
  guesses: readonly string[],
  heads: ReadonlySet<string>,
  operators: readonly Operator[],
): boolean {
  if (node.inputs.length !== 1) return true;
  if (position === undefined) return heads.has(node.id);
  const most = operators.filter((other) => other.node.inputs.includes(node.id)).length;
  for (let count = 0; count <= most; count += 1) {
    if (guesses.some((input) => heads.has(idOf(position, count, [input])))) return true;
  }
  return false;
}
