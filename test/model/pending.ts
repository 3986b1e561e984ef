/** What one process waits for: each goes on when the schedule says so, by one step at a time. */
export interface Task {
  /** The last one is the answer, which comes to the process only while it runs. */
  steps: Step[]
  /** The connection is lost: no more steps, and no answer. */
  lose(): unknown
}

/** Returns `waits` when it has to wait for somebody else, and `lost` when its connection turns out to be. */
type Step = (choice: number) => unknown

export interface Pending {
  add(task: Task): void
  /** Goes on with the one that is at this place, counted round. Returns whether it has. */
  advance(place: number, choice: number): boolean
  lose(place: number): void
  loseAll(): void
  count(): number
}

export function createPending(isRunning: () => boolean): Pending {
  const tasks: Task[] = []
  /** That it is lost is an answer too. */
  const end = (task: Task) => {
    task.steps = [() => void task.lose()]
  }
  return {
    add: (task) => tasks.push(task),
    count: () => tasks.length,
    advance: (place, choice) => {
      const task = tasks[place % tasks.length]
      if (task === undefined || (task.steps.length === 1 && !isRunning())) return false
      const outcome = task.steps[0]?.(choice)
      if (outcome === 'waits') return false
      task.steps.shift()
      if (outcome === 'lost') end(task)
      if (task.steps.length === 0) tasks.splice(tasks.indexOf(task), 1)
      return true
    },
    lose: (place) => {
      const task = tasks[place % tasks.length]
      if (task !== undefined) end(task)
    },
    loseAll: () => {
      for (const task of tasks.splice(0)) task.lose()
    },
  }
}
