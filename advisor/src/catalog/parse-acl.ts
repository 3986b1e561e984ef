import type { AclItem, Privilege } from './acl.ts'

const privileges: Record<string, Privilege> = {
  r: 'select',
  a: 'insert',
  w: 'update',
  d: 'delete',
  D: 'truncate',
  x: 'references',
  t: 'trigger',
  m: 'maintain',
  X: 'execute',
  U: 'usage',
  C: 'create',
  c: 'connect',
  T: 'temporary',
  s: 'set',
  A: 'alter system',
}

/**
 * Reads items such as `webuser=arw/postgres`: who has what; a star after a letter is the right to pass it on. Equal lists are one array,
 * because most objects of a schema have been granted alike.
 * @param oidOf the oid of a role by its name
 */
export function aclReader(
  oidOf: ReadonlyMap<string, number>,
): (items: string[] | null) => AclItem[] {
  const known = new Map<string, AclItem[]>()
  return (items) => {
    if (items === null || items.length === 0) return none
    const key = items.join('\n')
    const found = known.get(key) ?? items.flatMap((item) => parseItem(item, oidOf))
    known.set(key, found)
    return found
  }
}

const none: AclItem[] = []

function parseItem(item: string, oidOf: ReadonlyMap<string, number>): AclItem[] {
  const [, quoted, plain = '', letters = ''] =
    /^(?:"((?:[^"]|"")*)"|([^=]*))=([^/]*)\//.exec(item) ?? []
  const name = quoted === undefined ? plain : quoted.replaceAll('""', '"')
  // A role that is gone is told by its number.
  const grantee = name === '' ? 0 : (oidOf.get(name) ?? Number(name))
  return [...letters.matchAll(/([a-zA-Z])(\*?)/g)].flatMap(([, letter = '', star]) => {
    const privilege = privileges[letter]
    return privilege === undefined ? [] : [{ grantee, privilege, isGrantable: star === '*' }]
  })
}
