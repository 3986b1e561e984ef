import type { Names } from '../../names.ts'

/**
 * Whether statements are made by an API server that knows select, insert, update, delete and calls, as PostgREST's are
 * (whose claims are the settings `request.jwt…`). Where applications write their own SQL, an injected statement may be any.
 */
export const isSqlOfAnApi = ({ identitySettings }: Pick<Names, 'identitySettings'>): boolean =>
  identitySettings.some((setting) => setting.startsWith('request.jwt'))
