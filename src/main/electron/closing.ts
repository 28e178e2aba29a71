/**
 * What closing the window means while a run trains: it goes on without a window, or stops after its step and saves; the person says
 * which. No Electron in here, and nothing newer than Node 12.
 */
export type Answer = 'go on' | 'stop' | 'stay'

export interface ClosingActions {
  /** Asks the person; `runs` are the names of what trains. */
  readonly ask: (runs: readonly string[]) => Promise<Answer>
  readonly hide: () => void
  /** Ends the program: what trains stops and saves. */
  readonly quit: () => void
}

export interface Closing {
  /** Told whenever another run trains or none does. */
  readonly working: (runs: readonly string[]) => void
  /** Whether window and program may end now. If not, the person is asked, and the answer is carried out. */
  readonly mayEnd: () => boolean
  /** The window is wanted again. */
  readonly shown: () => void
}

export function createClosing({ ask, hide, quit }: ClosingActions): Closing {
  let runs: readonly string[] = []
  let asking = false
  let agreed = false
  let hidden = false
  return {
    working: (names) => {
      runs = names
      // Nobody sees the program any more, and it has nothing left to do.
      if (runs.length === 0 && hidden) quit()
    },
    mayEnd: () => {
      if (agreed || runs.length === 0) return true
      if (asking) return false
      asking = true
      void ask(runs).then((answer) => {
        asking = false
        if (answer === 'stay') return
        if (answer === 'stop' || runs.length === 0) {
          agreed = true
          return quit()
        }
        hidden = true
        hide()
      })
      return false
    },
    shown: () => {
      hidden = false
    },
  }
}
