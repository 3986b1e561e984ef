import { readFile } from 'node:fs/promises'
import { AdvisorError } from '../errors.ts'
import type { Acceptance } from './apply-acceptances.ts'

/** Where accepted findings stand unless a file is named. */
const usualFile = 'pie-lint.json'

/**
 * Reads the list of accepted findings: `[{"rule": …, "object": …, "reason": …}]`.
 * @param file null for `pie-lint.json`, which need not be there
 * @throws AdvisorError when it is no such list
 */
export async function readAcceptances(file: string | null): Promise<Acceptance[]> {
  const path = file ?? usualFile
  let list: unknown
  try {
    list = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing && file === null) return []
    throw new AdvisorError(`Could not read ${path}: ${(cause as Error).message}.`, { cause })
  }
  if (!Array.isArray(list)) throw badForm(path, 'it is no list')
  return list.map((entry, index) => {
    const { rule, object, reason = '' } = entry ?? {}
    for (const [name, value] of Object.entries({ rule, object, reason }))
      if (typeof value !== 'string') throw badForm(path, `${name} of entry ${index + 1} is no text`)
    return { rule, object, reason }
  })
}

function badForm(path: string, fault: string): AdvisorError {
  return new AdvisorError(
    `${path} is a list of {"rule", "object", "reason"}, as lint --json names them; but ${fault}.`,
  )
}
