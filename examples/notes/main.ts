import { createNotes } from './create-notes.ts'

const app = await createNotes()
// Closing finishes the requests in flight, and stops the Postgres that Pie has started.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => app.close())
try {
  await app.listen({ port: Number(process.env['PORT'] ?? 3000) })
} catch (error) {
  app.log.fatal(error)
  process.exitCode = 1
  await app.close()
}
