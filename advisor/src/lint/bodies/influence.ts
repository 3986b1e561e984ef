/** What makes what restless: a graph over names of things, and everything that can be reached from where it starts. */
export class Influence {
  readonly #dependents = new Map<string, string[]>()
  readonly #starts: string[] = []

  /** That what is true of one becomes true of the other. */
  add(dependent: string, on: string): void {
    const list = this.#dependents.get(on)
    if (list === undefined) this.#dependents.set(on, [dependent])
    else list.push(dependent)
  }

  start(thing: string): void {
    this.#starts.push(thing)
  }

  reach(): Set<string> {
    const reached = new Set(this.#starts)
    for (const thing of reached)
      for (const dependent of this.#dependents.get(thing) ?? []) reached.add(dependent)
    return reached
  }
}
