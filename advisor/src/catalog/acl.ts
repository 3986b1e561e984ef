export type Privilege =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'truncate'
  | 'references'
  | 'trigger'
  | 'maintain'
  | 'execute'
  | 'usage'
  | 'create'
  | 'connect'
  | 'temporary'
  | 'set'
  | 'alter system'

/** One right of somebody on something. What an object has by default is said like what was granted. */
export interface AclItem {
  grantee: number
  privilege: Privilege
  isGrantable: boolean
}
