import { ANY_LEVELS, isHidden, ONE_LEVEL, type Pattern, SOME_LEVELS } from './pattern.ts';

/*
 * Patterns as a tree of levels. A topic is matched by walking all branches that can still match at once, level by level
 * (a nondeterministic automaton), so the work is bounded by levels × nodes whatever the wildcards. Services publish to few
 * distinct topics, so the answer per topic is remembered until any pattern changes.
 */

interface Node<T> {
  readonly level: string;
  readonly children: Map<string, Node<T>>;
  readonly values: Set<T>;
}

/** Distinct topics whose answers are remembered; beyond it the oldest answer is forgotten. */
const TOPICS_REMEMBERED_MAX = 10_000;

/** Matches one topic against many patterns. Answers are shared: callers must not change them. */
export class PatternIndex<T> {
  readonly #root: Node<T> = newNode('');
  readonly #remembered = new Map<string, readonly T[]>();

  /** Adding the same pair again changes nothing. */
  add(pattern: Pattern, value: T): void {
    let node = this.#root;
    for (const level of pattern.levels) {
      let child = node.children.get(level);
      if (child === undefined) node.children.set(level, (child = newNode(level)));
      node = child;
    }
    node.values.add(value);
    this.#remembered.clear();
  }

  /** Removing a pair that is not there changes nothing. */
  remove(pattern: Pattern, value: T): void {
    const path: Node<T>[] = [this.#root];
    for (const level of pattern.levels) {
      const child = path.at(-1)!.children.get(level);
      if (child === undefined) return;
      path.push(child);
    }
    path.at(-1)!.values.delete(value);
    for (let index = path.length - 1; index > 0 && isEmpty(path[index]!); index--) {
      path[index - 1]!.children.delete(path[index]!.level);
    }
    this.#remembered.clear();
  }

  /** Every value with a pattern that matches the topic, each once. */
  match(canonicalTopic: string): readonly T[] {
    const remembered = this.#remembered.get(canonicalTopic);
    return remembered ?? this.#remember(canonicalTopic);
  }

  #remember(canonicalTopic: string): readonly T[] {
    const found = Object.freeze(matchTree(this.#root, canonicalTopic));
    if (this.#remembered.size >= TOPICS_REMEMBERED_MAX) {
      this.#remembered.delete(this.#remembered.keys().next().value!);
    }
    this.#remembered.set(canonicalTopic, found);
    return found;
  }
}

function newNode<T>(level: string): Node<T> {
  return { level, children: new Map(), values: new Set() };
}

function isEmpty<T>(node: Node<T>): boolean {
  return node.children.size === 0 && node.values.size === 0;
}

function matchTree<T>(root: Node<T>, canonicalTopic: string): T[] {
  const levels = canonicalTopic.split('/');
  let active = isHidden(canonicalTopic)
    ? afterHiddenRoot(root, levels[0]!)
    : afterLevel(withAnyLevels([root]), levels[0]!);
  for (let index = 1; index < levels.length && active.size > 0; index++) active = afterLevel(active, levels[index]!);
  const values = new Set<T>();
  for (const node of active) for (const value of node.values) values.add(value);
  return [...values];
}

function afterHiddenRoot<T>(root: Node<T>, level: string): Set<Node<T>> {
  const child = root.children.get(level);
  return withAnyLevels(child === undefined ? [] : [child]);
}

function afterLevel<T>(active: ReadonlySet<Node<T>>, level: string): Set<Node<T>> {
  const next: Node<T>[] = [];
  for (const node of active) {
    if (node.level === ANY_LEVELS || node.level === SOME_LEVELS) next.push(node);
    for (const wanted of [level, ONE_LEVEL, SOME_LEVELS]) {
      const child = node.children.get(wanted);
      if (child !== undefined) next.push(child);
    }
  }
  return withAnyLevels(next);
}

/** Adds the nodes that are reached without taking a level: `#` below any node that is there already. */
function withAnyLevels<T>(nodes: readonly Node<T>[]): Set<Node<T>> {
  const reached = new Set(nodes);
  for (const node of reached) {
    const child = node.children.get(ANY_LEVELS);
    if (child !== undefined) reached.add(child);
  }
  return reached;
}
