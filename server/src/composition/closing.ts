/** What has been started, to be stopped in the opposite order. */
export interface Closing {
  add(step: () => Promise<unknown> | unknown): void
  close(): Promise<void>
}

export function createClosing(): Closing {
  const steps: (() => Promise<unknown> | unknown)[] = []
  return {
    add: (step) => void steps.push(step),
    close: async () => {
      for (const step of steps.splice(0).reverse()) await step()
    },
  }
}
