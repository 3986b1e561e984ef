/** `npm run check`: all that CI does besides the tests. Runs every step, and says which of them failed. */
import { spawnSync } from 'node:child_process'

const steps: Record<string, [command: string, ...args: string[]]> = {
  // First, because examples are typed against what is published.
  build: ['node', 'scripts/build.ts'],
  types: ['tsc', '-p', '.'],
  lint: ['biome', 'check', '--error-on-warnings', '.'],
  'dead code': ['knip'],
  architecture: ['node', '--test', 'test/architecture.test.ts'],
  'printed pages, pie lint': ['node', 'scripts/print.ts', '--check'],
}

const failed: string[] = []
for (const [name, [command, ...args]] of Object.entries(steps)) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'}  ${name}\n`)
  if (status === 0) continue
  failed.push(name)
  process.stdout.write(`${stdout}${stderr}\n`)
}
if (failed.length > 0) {
  process.stdout.write(`npm run check failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
