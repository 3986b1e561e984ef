/** The catalog of a database as PostGraphile reads it: of each kind of row, what is looked at here. */
export interface Catalog {
  namespaces: { _id: string; nspname: string }[]
  classes: CatalogClass[]
  attributes: CatalogAttribute[]
  constraints: CatalogConstraint[]
  procs: CatalogProc[]
  types: CatalogType[]
  enums: { enumtypid: string }[]
  indexes: { indexrelid: string; indrelid: string; indkey: number[] | string }[]
  inherits: { inhrelid: string; inhparent: string }[]
  ranges: { rngtypid: string; rngsubtype: string; rngmultitypid: string }[]
  policies: { polrelid: string }[]
  depends: { classid: string; objid: string; deptype: string }[]
  descriptions: CatalogDescription[]
  /** The catalogs' own names, by oid. */
  catalog_by_oid: Record<string, string>
}

export interface CatalogClass {
  _id: string
  relname: string
  relnamespace: string
  reltype: string
  relkind: string
  relispartition: boolean
  relpersistence: string
}

export interface CatalogAttribute {
  attrelid: string
  attname: string
  attnum: number
  atttypid: string
  attisdropped: boolean
}

export interface CatalogConstraint {
  _id: string
  conname: string
  conrelid: string
  confrelid: string
  contype: string
  conkey: number[] | null
  confkey: number[] | null
}

export interface CatalogProc {
  _id: string
  proname: string
  pronamespace: string
  prokind: string
  prorettype: string
  proretset: boolean
  provolatile: string
  proargtypes: string[] | null
  proallargtypes: string[] | null
  proargmodes: string[] | null
}

export interface CatalogType {
  _id: string
  typname: string
  typnamespace: string
  typtype: string
  typrelid: string
  typelem: string
  typbasetype: string
}

export interface CatalogDescription {
  objoid: string
  classoid: string
  objsubid: number
  description: string
}

/** What has rows: tables, views, materialized views, foreign and partitioned tables. */
export const isTable = ({ relkind }: Pick<CatalogClass, 'relkind'>): boolean =>
  ['r', 'v', 'm', 'f', 'p'].includes(relkind)
