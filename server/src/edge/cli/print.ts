/** Prints what a command found or did: as one line of JSON for programs, as a sentence for people. */
export function print(data: object, sentence: string, { json = false }: { json?: boolean }): void {
  process.stdout.write(`${json ? JSON.stringify(data) : sentence}\n`)
}

export const jsonOption = ['--json', 'print JSON, for programs'] as const
