/** What extensions bring along. */
import type { Catalog, Routine } from '../../catalog/catalog.ts'
import { mendAs } from '../mends/mend-as.ts'
import { askersOf, callersOf, grantedAs, nameOfRole, namesOfRoles } from '../rights/askers.ts'
import type { Rule } from '../rule.ts'
import type { Weight } from '../weight.ts'

/** By extension: what of it leads out of the database, or runs what it is given. */
const dangerous: Record<string, { names: RegExp; weight: Weight; does: string }> = {
  dblink: {
    names: /^dblink(_connect|_connect_u|_exec|_open|_send_query)?$/,
    weight: 'hole',
    does: 'opens connections from the server, and runs SQL there',
  },
  http: {
    names: /^(http|urlencode$)/,
    weight: 'hole',
    does: 'asks other servers from within this one’s network',
  },
  pg_net: {
    names: /^http_/,
    weight: 'hole',
    does: 'asks other servers from within this one’s network',
  },
  pg_cron: {
    names: /^(schedule|alter_job|unschedule)/,
    weight: 'hole',
    does: 'runs SQL later, when nobody looks',
  },
  adminpack: { names: /^pg_(file_|logdir_)/, weight: 'hole', does: 'writes the server’s files' },
  file_fdw: { names: /^file_fdw_/, weight: 'leak', does: 'reads the server’s files' },
  xml2: {
    names: /^(xpath_table|xslt_process)/,
    weight: 'leak',
    does: 'runs SQL that it is given, or loads files',
  },
  tablefunc: { names: /^(crosstab|connectby)/, weight: 'leak', does: 'runs SQL that it is given' },
  pageinspect: {
    names: /./,
    weight: 'hole',
    does: 'reads pages of tables, past grants and policies',
  },
  pgstattuple: { names: /./, weight: 'leak', does: 'tells what is in tables, past grants' },
  pg_buffercache: { names: /./, weight: 'leak', does: 'tells what is in memory' },
  pg_surgery: { names: /./, weight: 'hole', does: 'changes rows below the database' },
  pg_repack: { names: /./, weight: 'hole', does: 'changes tables below the database' },
}

export const extensionFunctionOpen: Rule = {
  name: 'extension-function-open',
  weight: 'hole',
  why: 'Functions of extensions do what no grant on a table allows for, and most of them are open to everybody from the start.',
  find: (catalog) =>
    [...openFunctions(catalog)].map(([extension, { routines, weight, does }]) => {
      const callers = [...new Set(routines.flatMap((routine) => callersOf(catalog, routine)))]
      const who = namesOfRoles(catalog, callers)
      const names = [...new Set(routines.map(({ name }) => name))].join(', ')
      return {
        object: `functions of extension ${extension}`,
        weight,
        detail: `${who} may execute ${names}: it ${does}`,
        mend: mendAs(
          catalog,
          routines.map(({ owner }) => owner),
          `revoke execute on function ${routines.map(signatureOf).join(', ')} from ${who};`,
        ),
      }
    }),
}

type Open = (typeof dangerous)[string] & { routines: Routine[] }

/** By extension. */
function openFunctions(catalog: Catalog): Map<string, Open> {
  const open = new Map<string, Open>()
  for (const routine of catalog.functions.values()) {
    const name =
      routine.extension === null ? undefined : catalog.extensions.get(routine.extension)?.name
    const known = name === undefined ? undefined : dangerous[name]
    if (name === undefined || known === undefined || !known.names.test(routine.name)) continue
    if (callersOf(catalog, routine).length === 0) continue
    const of = open.get(name) ?? { ...known, routines: [] }
    of.routines.push(routine)
    open.set(name, of)
  }
  return open
}

const signatureOf = (routine: Routine): string => grantedAs(routine).replace(/^\w+ /, '')

export const extensionInPublic: Rule = {
  name: 'extension-in-public',
  weight: 'style',
  why:
    'What an extension makes stands among what is yours, where everybody may call it and an API shows it; in a schema of its ' +
    'own it is out of the way.',
  find: (catalog) =>
    extensionsOf(catalog)
      .filter(({ schema, canMove }) => canMove && catalog.schemas.get(schema)?.name === 'public')
      .map(({ sql, name, owner }) => ({
        object: `extension ${sql}`,
        detail: `${name} stands in public`,
        mend: mendAs(
          catalog,
          [owner],
          `create schema if not exists extensions;\nalter extension ${sql} set schema extensions;`,
        ),
      })),
}

export const extensionOutdated: Rule = {
  name: 'extension-outdated',
  weight: 'style',
  why: 'The server has a newer version of the extension than this database: what was mended there is not mended here.',
  find: (catalog) =>
    extensionsOf(catalog)
      .filter(
        ({ version, availableVersion }) =>
          availableVersion !== null && availableVersion !== version,
      )
      .map(({ sql, version, availableVersion, owner }) => ({
        object: `extension ${sql}`,
        detail: `it is at ${version}, and the server has ${availableVersion}`,
        mend: mendAs(catalog, [owner], `alter extension ${sql} update;`),
      })),
}

const extensionsOf = ({ detours }: Catalog) => detours.extensions

export const queueGranted: Rule = {
  name: 'queue-granted',
  weight: 'leak',
  why:
    'A queue of pgmq is a table, and so is its archive: without row-level security whoever is granted it reads everybody’s ' +
    'messages, and answers or deletes them.',
  find: (catalog) =>
    [...catalog.relations.values()]
      .filter(({ schema, name, kind, rowSecurity }) => {
        const isTable = kind === 'r' || kind === 'p'
        return schema.name === 'pgmq' && isTable && !rowSecurity && /^[qa]_/.test(name)
      })
      .flatMap((queue) =>
        askersOf(catalog, queue, 'select', 'insert', 'update', 'delete').map((role) => ({
          object: `grant to ${nameOfRole(catalog, role)} on queue ${queue.sql}`,
          mend: `revoke all on ${queue.sql} from ${nameOfRole(catalog, role)};`,
        })),
      ),
}
