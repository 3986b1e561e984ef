import { type PieOptions, pie, problemHandler } from '@pie/server'
import { type FastifyInstance, fastify } from 'fastify'
import { noteRoutes } from './routes/notes.ts'
import { shareRoutes } from './routes/shares.ts'

export interface NotesOptions {
  /** Settings of Pie's; what is not here comes from the environment and from .env. */
  settings?: PieOptions['settings']
  logger?: boolean
}

/** The application, ready to listen. */
export async function createNotes(options: NotesOptions = {}): Promise<FastifyInstance> {
  const { settings = {}, logger = true } = options
  const app = fastify({ logger })
  // An error is answered as Pie's own are: a stable code, and nothing of our insides.
  app.setErrorHandler(problemHandler)
  // Signing up and in, sessions, users: all of Pie's routes; and for ours, request.pie. /graphql shows our schema too.
  await app.register(pie, {
    settings: { GRAPHQL_SCHEMAS: 'notes', ...settings },
    migrations: new URL('sql/', import.meta.url),
  })
  await app.register(noteRoutes)
  await app.register(shareRoutes)

  app.get('/', async (request) => {
    const session = await request.pie.session()
    return { hello: session?.user.name ?? session?.user.email ?? 'stranger' }
  })
  return app
}
