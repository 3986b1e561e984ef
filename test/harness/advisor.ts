/** The advisor as somebody without Pie runs it: a process of its own, from its command line. */
import { fileURLToPath } from 'node:url'
import { type Environment, type Finished, runPie } from './process.ts'

const program = fileURLToPath(new URL('../../advisor/bin/advisor.js', import.meta.url))

/** Runs `advisor …` to its end. @param cwd where `pie-lint.json` is looked for */
export const runAdvisor = (
  args: string[],
  settings: Environment = {},
  cwd?: string,
): Promise<Finished> => runPie(args, settings, { program, ...(cwd !== undefined && { cwd }) })
