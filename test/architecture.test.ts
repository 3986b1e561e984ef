/** The house rules that no compiler knows: imports go down, rooms know only the rooms before them. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../server/src/', import.meta.url))
const advisor = fileURLToPath(new URL('../advisor/src/', import.meta.url))

/** From the bottom to the top. What stands in no folder is an entry, above all the rest. */
const layers = ['ground', 'features', 'edge', 'settings', 'composition', '']

/**
 * The rooms of features/, each of which may import the ones before it. Those that are not there yet come with what
 * they are for; another one, by a decision in docs/decisions/.
 */
const rooms = [
  'audit',
  'keys',
  'accounts',
  'addresses',
  'sessions',
  'passwords',
  'passkeys',
  'second-factors',
  'providers',
  'sign-in',
  'recovery',
  'tokens',
  'clients',
  'consents',
  'oauth',
  'avatars',
  'operations',
]

/** What the server may know of the advisor: what every other program may. */
const advisorsDoor = '../../advisor/src/index.ts'

/** Fewer files than this were not looked at, but lost: the test itself would be broken. */
const LEAST_FILES = 60

interface Import {
  from: string
  to: string
}

const files = globSync('**/*.ts', { cwd: source }).filter((file) => !file.endsWith('.test.ts'))
const imports: Import[] = files.flatMap((from) =>
  [
    ...readFileSync(join(source, from), 'utf8').matchAll(
      /(?:from|import\(|new URL\()\s*'(\.[^']+\.ts)'/g,
    ),
  ].map(([, path = '']) => ({ from, to: normalize(join(dirname(from), path)) })),
)

/** The advisor knows nothing of Pie, and is below all of it. */
const layerOf = (file: string): number =>
  layers.indexOf(file.includes('/') ? (file.split('/')[0] ?? '') : '')

/** The upward ones among some imports. */
export function findUpward(among: Import[]): Import[] {
  return among.filter(({ from, to }) => layerOf(from) < layerOf(to))
}

/** Imports of a room that is listed later, or not at all. */
export function findLaterRooms(among: Import[]): Import[] {
  return among.filter(({ from, to }) => {
    const [fromRoom, toRoom] = [from, to].map((file) => /^features\/([^/]+)\//.exec(file)?.[1])
    if (fromRoom === undefined || toRoom === undefined || fromRoom === toRoom) return false
    return !rooms.slice(0, rooms.indexOf(fromRoom)).includes(toRoom)
  })
}

/** A circle of files that import each other, or null. */
export function findCycle(among: Import[]): string[] | null {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return null
    for (const { to } of among.filter(({ from }) => from === file)) {
      const cycle = visit(to, [...path, file])
      if (cycle !== null) return cycle
    }
    done.add(file)
    return null
  }
  for (const { from } of among) {
    const cycle = visit(from, [])
    if (cycle !== null) return cycle
  }
  return null
}

describe('the architecture', () => {
  test('was looked at: there are files, and they import each other', () => {
    assert.ok(files.length >= LEAST_FILES, `only ${files.length} files were found`)
    assert.ok(imports.length >= 2 * LEAST_FILES, `only ${imports.length} imports were found`)
    assert.deepEqual(
      imports.filter(({ to }) => !files.includes(to) && to !== advisorsDoor),
      [],
    )
  })

  test('imports only go down: composition → settings → edge → features → ground', () => {
    assert.deepEqual(findUpward(imports), [])
  })

  test('a room imports only rooms that are listed before it', () => {
    assert.deepEqual(findLaterRooms(imports), [])
    const found = files.map((file) => /^features\/([^/]+)\//.exec(file)?.[1])
    assert.deepEqual(
      found.filter((room) => room !== undefined && !rooms.includes(room)),
      [],
    )
  })

  test('there is no cycle', () => {
    assert.equal(findCycle(imports), null)
  })

  test('the checks can fail', () => {
    assert.equal(findUpward([{ from: 'ground/log.ts', to: 'features/keys/key-ring.ts' }]).length, 1)
    assert.equal(findUpward([{ from: 'edge/http/server.ts', to: 'main.ts' }]).length, 1)
    assert.equal(
      findLaterRooms([{ from: 'features/keys/a.ts', to: 'features/tokens/b.ts' }]).length,
      1,
    )
    const circle = [
      { from: 'a.ts', to: 'b.ts' },
      { from: 'b.ts', to: 'c.ts' },
      { from: 'c.ts', to: 'a.ts' },
    ]
    assert.deepEqual(findCycle(circle), ['a.ts', 'b.ts', 'c.ts', 'a.ts'])
  })

  test('the advisor imports nothing of the server, which comes in by its door alone', () => {
    const inside = globSync('**/*.ts', { cwd: advisor })
    assert.ok(inside.length >= LEAST_FILES / 2, `only ${inside.length} files were found`)
    const outward = inside.filter((file) => {
      const depth = file.split('/').length
      return new RegExp(`'(\\.\\./){${depth},}`).test(readFileSync(join(advisor, file), 'utf8'))
    })
    assert.deepEqual(outward, [])
    const past = imports.filter(({ to }) => to.startsWith('../') && to !== advisorsDoor)
    assert.deepEqual(past, [])
  })

  test('the top of the server holds its entries alone', () => {
    assert.deepEqual(files.filter((file) => !file.includes('/')).sort(), [
      'command-line.ts',
      'index.ts',
      'plugin.ts',
      'server.ts',
      'session.ts',
    ])
  })

  test('only settings/environment.ts reads the environment, and only edge/ knows Fastify', () => {
    // Which passes on what programs need, and reads no setting.
    const passesOn = 'ground/run-program.ts'
    const using = (pattern: RegExp) =>
      files.filter((file) => pattern.test(readFileSync(join(source, file), 'utf8')))
    assert.deepEqual(
      using(/process\.env\b(?!`)/).filter((file) => file !== 'settings/environment.ts'),
      [passesOn],
    )
    // So that no program is given Pie's secrets.
    assert.deepEqual(using(/child_process/), [passesOn])
    assert.deepEqual(
      // plugin.ts is one of Fastify's own.
      using(/from '@?fastify/).filter((file) => !file.startsWith('edge/') && file !== 'plugin.ts'),
      [],
    )
  })

  test('there are no drawers for everything: no utils, helpers, or files that only re-export', () => {
    assert.deepEqual(
      files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file)),
      [],
    )
    // The one at the top is what other programs import.
    assert.deepEqual(
      files.filter((file) => file.endsWith('index.ts')),
      ['index.ts'],
    )
  })
})
