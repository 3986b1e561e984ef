import { writeFile } from 'node:fs/promises'
import { AdvisorError } from '../errors.ts'

/**
 * Prints a report, or puts it into a file.
 * @param file null for standard output
 * @throws AdvisorError where the file cannot be written
 */
export async function writeReport(text: string, file: string | null): Promise<void> {
  if (file === null) {
    process.stdout.write(`${text}\n`)
    return
  }
  try {
    await writeFile(file, `${text}\n`)
  } catch (cause) {
    throw new AdvisorError(`Could not write ${file}: ${(cause as Error).message}.`, { cause })
  }
}
