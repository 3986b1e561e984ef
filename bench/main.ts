/** `npm run bench`: what Pie does beside what this machine could do at best. Judges nothing. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Options, readOptions, usage, WrongUsage } from './options.ts'
import { printTable } from './print-table.ts'
import { runScenarios } from './run-scenarios.ts'

class Interrupted extends Error {}

async function bench(options: Options): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'pie-bench-'))
  // Where Postgres runs as another user than this process, it has to come through here.
  await chmod(directory, 0o711)
  const stops: (() => Promise<void>)[] = []
  let isEnding = false
  const surroundings = {
    directory,
    onStarted: (stop: () => Promise<void>) => {
      stops.push(stop)
      // After Ctrl-C, what was going on goes on until it notices.
      if (isEnding) void stop()
    },
    say: (line: string) => void process.stderr.write(`${line}\n`),
  }
  try {
    const measurements = await Promise.race([
      runScenarios(options, surroundings),
      untilInterrupted(),
    ])
    const machine = {
      node: process.version,
      cores: availableParallelism(),
      processor: cpus()[0]?.model ?? 'unknown',
    }
    process.stdout.write(
      options.isJson
        ? `${JSON.stringify({ machine, options, measurements }, null, 2)}\n`
        : `\n${printTable(measurements)}\n\n` +
            `Node ${machine.node}, ${machine.cores} cores (${machine.processor}), medians of ${options.rounds} rounds.\n`,
    )
  } finally {
    isEnding = true
    for (const stop of stops.reverse()) await stop()
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

function untilInterrupted(): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => reject(new Interrupted()))
  })
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === null) process.stdout.write(usage)
  else await bench(options)
  process.exit()
} catch (error) {
  if (error instanceof Interrupted) process.exit(130)
  process.stderr.write(
    error instanceof WrongUsage
      ? `${error.message}\n\n${usage}`
      : `bench: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`,
  )
  process.exit(error instanceof WrongUsage ? 2 : 1)
}
