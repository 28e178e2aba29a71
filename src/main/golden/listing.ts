/** FILES.md: the tensors that the folder says it holds, with their shapes and types. Other .md files are prose. */
import { compareExactly, passed, type Check } from './compare.ts'
import type { GoldenFolder } from './folder.ts'
import type { GoldenCase } from './setup.ts'

const LISTING = 'FILES.md'

export function listingCases(folder: GoldenFolder): GoldenCase[] {
  for (const name of folder.files) if (name.endsWith('.md') && name !== LISTING) folder.leaveOut(name, '', 'prose')
  return folder.has(LISTING) ? [{ name: 'list of files', run: async () => listingCase(folder) }] : []
}

/** What is listed and there is as listed; a listed file may be kept back, and long lists end early. */
function listingCase(folder: GoldenFolder): Check[] {
  const checks: Check[] = []
  let file = ''
  for (const line of folder.text(LISTING).split('\n')) {
    const heading = /^## (\S.*?) \(\d+ bytes\)$/.exec(line)?.[1]
    if (heading) {
      file = heading
      checks.push(passed(heading))
    }
    const [, name, shape, dtype] = /^- `(.+)` \[([\d, ]*)\] (\w+)$/.exec(line) ?? []
    if (!name || !file.endsWith('.safetensors') || !folder.has(file)) continue
    const entry = folder.tensors(file).tensors.get(name)
    checks.push(compareExactly(`${file}: ${name}`, entry ? [entry.dtype, entry.shape] : null, [dtype, shape ? shape.split(', ').map(Number) : []]))
  }
  return checks
}
