/** A binary heap: the least item first. */
export interface Heap<T> {
  readonly size: number;
  push(item: T): void;
  first(): T | undefined;
  pop(): T | undefined;
  clear(): void;
}

/** `before(a, b)`: whether `a` comes out earlier than `b`. */
export function heap<T>(before: (a: T, b: T) => boolean): Heap<T> {
  const items: T[] = [];

  const push = (item: T) => {
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (!before(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  };

  const pop = (): T | undefined => {
    const first = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && before(items[child + 1] as T, items[child] as T)) child++;
      if (!before(items[child] as T, last)) break;
      items[at] = items[child] as T;
      at = child;
    }
    items[at] = last;
    return first;
  };

  return {
    get size() {
      return items.length;
    },
    push,
    pop,
    first: () => items[0],
    clear: () => {
      items.length = 0;
    },
  };
}
