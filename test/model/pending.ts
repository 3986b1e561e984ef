/** What one process waits for: each goes on when the schedule says so, by one step at a time. */
export interface Task {
  /** The last one is the answer, which comes to the process only while it runs. */
  steps: ((choice: number) => void)[]
  /** The connection is lost: no more steps, and no answer. */
  lose(): void
}

export interface Pending {
  add(task: Task): void
  /** Goes on with the one that is at this place, counted round. Returns whether there was any. */
  advance(place: number, choice: number): boolean
  lose(place: number): void
  count(): number
}

export function createPending(isRunning: () => boolean): Pending {
  const tasks: Task[] = []
  return {
    add: (task) => tasks.push(task),
    count: () => tasks.length,
    advance: (place, choice) => {
      const task = tasks[place % tasks.length]
      if (task === undefined || (task.steps.length === 1 && !isRunning())) return false
      task.steps.shift()?.(choice)
      if (task.steps.length === 0) tasks.splice(tasks.indexOf(task), 1)
      return true
    },
    lose: (place) => {
      const [task] = tasks.splice(place % Math.max(tasks.length, 1), 1)
      task?.lose()
    },
  }
}
