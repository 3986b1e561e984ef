import type { Token } from '../sql-text/read-tokens.ts'
import { isSign, isWord } from './tokens-of.ts'

/** Words without which nothing is done. A column of that name is taken for the deed: it errs to saying nothing. */
const deeds = new Set(
  (
    'insert update delete merge truncate create alter drop grant revoke execute call do copy lock listen notify unlisten ' +
    'prepare deallocate set reset discard load refresh reindex cluster vacuum analyze analyse import checkpoint share ' +
    'commit rollback savepoint declare cursor refcursor open move reassign'
  ).split(' '),
)

/** Whether a body may do more than read, by its own words. `declare` begins a plpgsql block, and there is none of it. */
export function mayAct(tokens: readonly Token[], language: string): boolean {
  return tokens.some((token, place) => {
    if (token.type !== 'word') return false
    const next = tokens[place + 1]
    if (token.value === 'declare') return language === 'sql'
    if (token.value === 'into') return language === 'sql'
    if (token.value === 'fetch') return !isWord(next, 'first', 'next') || language === 'plpgsql'
    if (token.value === 'comment' || token.value === 'security') return isWord(next, 'on', 'label')
    return deeds.has(token.value)
  })
}

/** What a body surely does that Postgres forbids to functions that are not volatile; null for nothing. */
export function findWrite(tokens: readonly Token[]): string | null {
  for (const [place, token] of tokens.entries()) {
    if (token.type !== 'word') continue
    const [before, next, third] = [tokens[place - 1], tokens[place + 1], tokens[place + 2]]
    if (isWord(token, 'insert', 'merge') && isWord(next, 'into')) return token.value
    if (isWord(token, 'delete') && isWord(next, 'from') && begins(before)) return token.value
    if (isCommand(token, next) && begins(before)) return token.value
    if (isWord(token, 'update') && begins(before) && setsColumns(tokens, place)) return token.value
    if (isWord(token, 'for') && isLock(next, third)) return 'select … for update'
  }
  return null
}

const commands = new Set(
  (
    'create alter drop grant revoke truncate lock copy notify listen unlisten set reset refresh reindex cluster vacuum ' +
    'analyze analyse'
  ).split(' '),
)

/** A command, and not a variable of that name. */
const isCommand = ({ value }: Token, next: Token | undefined): boolean =>
  commands.has(value) && next?.type !== 'sign'

const isLock = (next: Token | undefined, third: Token | undefined): boolean =>
  isWord(next, 'update', 'share')
    ? !isSign(third, '.', '(')
    : isWord(next, 'no') && isWord(third, 'key')

/** Whether a statement can begin after it. */
const begins = (before: Token | undefined): boolean =>
  before === undefined ||
  isSign(before, ';', '(') ||
  isWord(before, 'begin', 'then', 'else', 'loop', 'atomic')

/** `update app.notes as n set …` */
function setsColumns(tokens: readonly Token[], place: number): boolean {
  const few = tokens.slice(place + 1, place + 8)
  const at = few.findIndex((token) => isWord(token, 'set'))
  return at > 0 && few.slice(0, at).every((token) => token.type !== 'string')
}
