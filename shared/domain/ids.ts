/** Ids, each with a value. Remembers which of them were touched, so that storing them costs what has changed. */
export class Ids<V> extends Map<string, V> {
  /** Set to another value, or deleted. Whoever has stored them clears it. */
  readonly touched = new Set<string>();

  override set(id: string, value: V): this {
    if (this.get(id) === value) return this;
    this.touched.add(id);
    return super.set(id, value);
  }

  override delete(id: string): boolean {
    const deleted = super.delete(id);
    if (deleted) this.touched.add(id);
    return deleted;
  }
}

/** Ids and when it was, in ms since 1970. Counting and forgetting do not go through all of them. */
export class Times extends Ids<number> {
  private readonly inOrder: { at: number; id: string }[] = [];

  override set(id: string, at: number): this {
    if (this.get(id) === at) return this;
    this.takeOut(id);
    this.inOrder.splice(this.placeAfter(at), 0, { at, id });
    return super.set(id, at);
  }

  override delete(id: string): boolean {
    this.takeOut(id);
    return super.delete(id);
  }

  /** How many are later than that. */
  countAfter(at: number): number {
    return this.inOrder.length - this.placeAfter(at);
  }

  /** Forgets all that are not later than that. */
  forgetUntil(at: number): void {
    for (const { id } of this.inOrder.splice(0, this.placeAfter(at))) super.delete(id);
  }

  private takeOut(id: string): void {
    const at = this.get(id);
    if (at === undefined) return;
    let place = this.placeAfter(at) - 1;
    while (this.inOrder[place]?.id !== id) place--;
    this.inOrder.splice(place, 1);
  }

  /** Of the first that is later. */
  private placeAfter(at: number): number {
    let low = 0;
    let high = this.inOrder.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.inOrder[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
