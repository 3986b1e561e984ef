import type pg from 'pg'
import type { AclItem } from './acl.ts'
import type { Expression } from './catalog.ts'
import { parseNodeTree, type TreeNode } from './parse-node-tree.ts'

/** What each reader of a part of the catalog is given. */
export interface Reading {
  /** Asks one question; one after the other. */
  ask<Row>(sql: string, ...values: unknown[]): Promise<Row[]>
  readAcl(items: string[] | null): AclItem[]
  /** The schemas that are asked about, by name. */
  asked: readonly string[]
  /** Schemas of whose tables only the policies are asked about, by name. */
  policiesIn: readonly string[]
}

export const askOn =
  (client: pg.ClientBase): Reading['ask'] =>
  async <Row>(sql: string, ...values: unknown[]) =>
    (await client.query(sql, values)).rows as Row[]

/** Postgres' own schemas, those of temporary objects and of what is too large for its row. */
export const isOfPostgres = (name: string): string =>
  `(${name} in ('pg_catalog', 'information_schema') or ${name} ~ '^pg_(toast|temp_|toast_temp_)')`

export const isPassing = (name: string): string => `${name} ~ '^pg_(toast|temp_|toast_temp_)'`

/** The extension that something belongs to. @param oid a column of that catalog */
export const extensionOf = (catalog: string, oid: string): string => `(
  select refobjid from pg_depend
  where classid = '${catalog}'::regclass and objid = ${oid} and objsubid = 0 and deptype = 'e'
)`

/** An expression whose tree is parsed when it is first asked for; the text of the tree is forgotten then. */
export function expressionOf(text: string | null, tree: string | null): Expression | null {
  return tree === null ? null : new LazyExpression(text ?? '', tree)
}

class LazyExpression implements Expression {
  readonly text: string
  isCut = false
  #raw: string | null
  #tree: TreeNode | null = null
  constructor(text: string, raw: string) {
    this.text = text
    this.#raw = raw
  }
  get tree(): TreeNode {
    this.#tree ??= parseNodeTree(this.#raw ?? '', () => {
      this.isCut = true
    })
    this.#raw = null
    return this.#tree
  }
}
