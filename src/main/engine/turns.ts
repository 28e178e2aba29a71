/** Writes of regions take turns: an edit of many regions is made in parts, as is an update from a source, and nothing may come between. */
export interface Turns {
  /** Runs the work when all that came before has ended. */
  inTurn<T>(work: () => T | Promise<T>): Promise<T>
  /** What is to be done before each turn, such as putting right what an unfinished one left. */
  before(tidy: () => Promise<void>): void
}

export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  const tidies: (() => Promise<void>)[] = []
  return {
    inTurn(work) {
      const mine = last.then(async () => {
        for (const tidy of tidies) await tidy()
        return work()
      })
      last = mine.catch(() => undefined)
      return mine
    },
    before: (tidy) => void tidies.push(tidy),
  }
}
