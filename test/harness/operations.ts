/** What a running Pie says that it does: so a test of every operation covers the next one too. */
import type { TestPie } from './pie.ts'

export interface Operation {
  method: string
  /** With something in place of each parameter. */
  path: string
  /** `POST /auth/login`, as it is documented. */
  name: string
  /** Needs no session. */
  isOpen: boolean
  /** The statuses that it is documented to answer with. */
  statuses: string[]
  /** By which generated clients call it. */
  operationId: string
  /** What its body has to have. */
  required: string[]
}

interface Documented {
  operationId: string
  requestBody?: { content: Record<string, { schema: { required?: string[] } }> }
  security?: unknown[]
  responses: Record<string, unknown>
}

/** Every operation in /openapi.json. */
export async function readOperations({ request }: Pick<TestPie, 'request'>): Promise<Operation[]> {
  const { paths } = (await request('/openapi.json')).body
  return Object.entries<Record<string, Documented>>(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security, responses, operationId, requestBody }]) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{\w+\}/g, '11111111-2222-4333-8444-555555555555'),
      name: `${method.toUpperCase()} ${path}`,
      isOpen: security?.length === 0,
      statuses: Object.keys(responses),
      operationId,
      required: requestBody?.content['application/json']?.schema.required ?? [],
    })),
  )
}
