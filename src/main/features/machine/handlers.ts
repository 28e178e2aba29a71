/** What the machine is doing now, from /proc and the os module; nothing is installed for it. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'
import { promisify } from 'node:util'
import type { EngineContext, Handlers } from '../../engine/context.ts'

const run = promisify(execFile)
const GPU_EVERY_MS = 2000

type Now = Awaited<ReturnType<Handlers<'machine'>['now']>>

export function machineHandlers({ interactive, worker }: EngineContext): Handlers<'machine'> {
  let last = cpuTimes()
  let share = 0
  let gpu: { at: number; value: Promise<Now['gpu']> } | null = null
  let hasGpu = true
  return {
    now: async () => {
      const times = cpuTimes()
      // Two pages asking at the same moment share the last figure.
      if (times.total - last.total > 200) {
        share = 1 - (times.idle - last.idle) / (times.total - last.total)
        last = times
      }
      if (hasGpu && (!gpu || Date.now() - gpu.at > GPU_EVERY_MS)) gpu = { at: Date.now(), value: gpuNow() }
      const found = hasGpu ? await gpu!.value : null
      if (!found) hasGpu = false
      const [available, first, second] = await Promise.all([availableBytes(), residentBytes(interactive.pid()), residentBytes(worker.pid())])
      return {
        cpuShare: Math.min(1, Math.max(0, share)), cores: cpus().length, memoryUsedBytes: totalmem() - available, memoryTotalBytes: totalmem(),
        engineBytes: process.memoryUsage().rss, computeBytes: first + second, gpu: found,
      }
    },
  }
}

function cpuTimes(): { idle: number; total: number } {
  let idle = 0
  let total = 0
  for (const { times } of cpus()) {
    idle += times.idle
    total += times.user + times.nice + times.sys + times.irq + times.idle
  }
  return { idle, total }
}

/** What can be had without swapping: caches count as free. */
async function availableBytes(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8').catch(() => '')
  const kilobytes = /^MemAvailable:\s+(\d+)/m.exec(text)?.[1]
  return kilobytes ? Number(kilobytes) * 1024 : freemem()
}

async function residentBytes(pid: number | null): Promise<number> {
  if (pid === null) return 0
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024
}

async function gpuNow(): Promise<Now['gpu']> {
  try {
    const { stdout } = await run('nvidia-smi', ['--query-gpu=name,utilization.gpu,memory.used,memory.total', '--format=csv,noheader,nounits'], { timeout: 3000 })
    const [name, percent, used, total] = stdout.trim().split('\n')[0]!.split(',').map((part) => part.trim())
    const mebi = 1024 * 1024
    return { name: name!, share: Number(percent) / 100, memoryUsedBytes: Number(used) * mebi, memoryTotalBytes: Number(total) * mebi }
  } catch {
    return null
  }
}
