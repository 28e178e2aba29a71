import type { Command } from './command.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Say what this machine computes with, and what is missing.',
  positionals: [],
  options: {},
  details: 'It only looks: nothing is installed or changed. Exit code 4 when TensorFlow does not run.\nResult: {ok, version, platform, node, tensorflow: {running, backend, source, cacheDir, problem}, gpu, electron, tools, cures}.',
  run: async () => {
    const { doctorReport } = await import('../runtime/doctor.ts')
    const report = await doctorReport()
    const { tensorflow: tf, platform } = report
    const device = !tf.backend ? 'not running' : tf.backend.gpu ? `GPU ${report.gpu?.name ?? tf.backend.device}` : `CPU, ${tf.backend.threads} threads`
    const rows: (readonly [string, string])[] = [
      ['AMC Workstation', report.version],
      ['Machine', `${platform.system} ${platform.arch}, ${platform.cores} cores (${platform.cpu}), ${(platform.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
      ['Node', `${report.node.version}  ${report.node.path}`],
      ['TensorFlow', tf.backend?.library ?? tf.problem ?? 'not set up'],
      ['Computes on', device],
      ...(tf.backend && !tf.backend.gpu ? [['Why not the GPU', tf.backend.whyNotGpu ?? 'unknown'] as const] : []),
      ['Libraries', tf.source === 'wheel' ? `our pinned build, in ${tf.cacheDir ?? 'the cache'}` : (tf.source ?? 'not set up')],
      ['GPU seen', report.gpu ? `${report.gpu.name}, driver ${report.gpu.driver}, ${report.gpu.memoryMiB} MiB` : 'none'],
      ['Electron', report.electron.installed ? `${report.electron.version ?? ''}  ${report.electron.path ?? ''}` : report.electron.display ? 'not installed; the browser is used' : 'not installed, nor needed: there is no display here, so a browser elsewhere is used'],
      ['Python, pip', `${report.tools.python ?? 'none'}, ${report.tools.pip ?? 'none'}`],
      ['C++ compiler', report.tools.compiler ?? 'none'],
    ]
    const width = Math.max(...rows.map(([name]) => name.length)) + 2
    const lines = [...rows.map(([name, value]) => `${name.padEnd(width)}${value}`), ...report.cures.map((cure) => `To do: ${cure}`)]
    return { json: report, lines, exitCode: report.ok ? 0 : 4 }
  },
}
