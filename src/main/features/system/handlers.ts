/** What the page needs to know about the program itself, and the stream of everything that changes. */
import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineContext, Handlers } from '../../engine/context.ts'
import { toErrorData } from '../../../shared/errors.ts'
import type { BackendInfo } from '../../compute/protocol.ts'

type Doctor = Awaited<ReturnType<Handlers<'system'>['doctor']>>

export function systemHandlers(context: EngineContext): Handlers<'system'> {
  const { project, db, events, interactive, version, author } = context
  let backend: { info: BackendInfo | null; problem: string } = { info: null, problem: 'TensorFlow is starting.' }
  const ask = async (): Promise<void> => {
    const before = backend
    try {
      backend = { info: await interactive.call('info', {}), problem: '' }
    } catch (error) {
      const data = toErrorData(error)
      backend = { info: null, problem: `${data.message} ${data.cure}`.trim() }
    }
    if (before.info === null || backend.info === null) events.emit({ type: 'backend.changed', ready: backend.info !== null, message: backend.problem || describe(backend.info!) })
  }
  let asked = false
  return {
    // The first call starts the computing process; a command that needs none never makes one.
    info: () => {
      if (!asked) void ask()
      asked = true
      return {
        version, project: { name: project.name, path: project.dir }, author: author(),
        backend: { ready: backend.info !== null, library: backend.info?.library ?? '', device: backend.info?.device ?? '', message: backend.problem || describe(backend.info!) },
      }
    },
    doctor: async () => {
      await ask()
      return { lines: doctorLines(version, backend.info, backend.problem) }
    },
    setAuthor: ({ author: name }) => {
      db.run("INSERT OR REPLACE INTO project (key, value) VALUES ('author', ?)", name)
      return {}
    },
    storage: async () => {
      const [databaseBytes, cacheBytes, runsBytes, disk] = await Promise.all([databaseSize(db.file), folderSize(project.cacheDir), folderSize(project.runsDir), statfs(project.dir)])
      return { databaseBytes, cacheBytes, runsBytes, freeBytes: disk.bavail * disk.bsize }
    },
    events: (_input, call) => events.subscribe(call?.signal) as never, // a generator is what the contract library iterates
  }
}

function describe(info: BackendInfo): string {
  return `${info.library} on ${info.device}${info.gpu ? '' : `, ${info.threads} threads`}`
}

function doctorLines(version: string, info: BackendInfo | null, problem: string): Doctor['lines'] {
  const line = (name: string, value: string, ok = true, cure: string | null = null) => ({ name, value, ok, cure })
  const tensorflow = info
    ? [
        line('TensorFlow', info.library),
        line('Device', info.device),
        line('Threads', String(info.threads)),
        ...(info.whyNotGpu ? [line('GPU', `Not used: ${info.whyNotGpu}`)] : []),
      ]
    : [line('TensorFlow', problem, false, 'Run `npm run setup`, then start the program again.')]
  return [line('AMC Workstation', version), line('Node', process.versions.node), line('System', `${process.platform} ${process.arch}`), ...tensorflow]
}

async function databaseSize(file: string): Promise<number> {
  const sizes = await Promise.all(['', '-wal'].map((end) => stat(file + end).then((info) => info.size, () => 0)))
  return sizes[0]! + sizes[1]!
}

/** Bytes of everything below; what vanishes meanwhile counts as nothing. */
async function folderSize(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  let bytes = 0
  for (const entry of entries) if (entry.isFile()) bytes += await stat(join(entry.parentPath, entry.name)).then((info) => info.size, () => 0)
  return bytes
}
