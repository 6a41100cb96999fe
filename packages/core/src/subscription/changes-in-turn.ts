/** Changes of one subscription run one after the other; those of different ones beside each other. */
export class ChangesInTurn {
  readonly #underWay = new Map<string, Promise<unknown>>();

  /** A change of the subscription runs or waits. */
  has(id: string): boolean {
    return this.#underWay.has(id);
  }

  /** Runs `change` after those that were asked for before; how they ended does not matter to it. */
  async run<T>(id: string, change: () => Promise<T>): Promise<T> {
    const before = this.#underWay.get(id) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(change);
    this.#underWay.set(id, mine);
    try {
      return await mine;
    } finally {
      if (this.#underWay.get(id) === mine) this.#underWay.delete(id);
    }
  }

  /** Resolves when all that were asked for so far have ended. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#underWay.values());
  }
}
