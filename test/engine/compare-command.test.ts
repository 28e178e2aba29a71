/** `amc compare` with files: what is written says the same as the answer and as the database. */
import { mkdtempSync } from 'node:fs'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/main/cli/commands.ts'
import { runCli } from '../../src/main/cli/run-cli.ts'
import type { Comparison, ComparePair } from '../../src/shared/contract/compare.ts'
import { generateDemo } from '../../src/main/demo/generate.ts'
import { type ComparedProject, makeComparedProject } from '../support/compared-project.ts'
import { parseCsv } from '../support/csv.ts'
import { readProject } from '../e2e/project-reader.ts'
import { writeResultFile } from '../support/evaluation-results.ts'
import { reportNumbers } from '../support/report-numbers.ts'

type Answer = Comparison & { report?: string; csv?: string }

async function amc(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(COMMANDS, args, { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } }, new AbortController().signal, '1')
  return { code, out, err, json: (args.includes('--json') && out ? JSON.parse(out) : null) as Answer }
}

/** Every number that the report has of a pair against the answer. */
function expectSame(said: ReturnType<typeof reportNumbers>['pairs'][number], { headline, matrix, test: { p } }: ComparePair): void {
  expect(said.matrix).toEqual(matrix)
  expect(said.p).toBe(p < 0.001 ? '< 0.001' : `= ${p.toFixed(3)}`)
  for (const [name, of, factor, digits] of [['Pointing game, %', headline.pointingGame, 100, 2], ['Consistency, mean', headline.consistency, 1, 3]] as const) {
    const [a, b, change, interval] = said.measures[name]!
    expect([Number(a), Number(b), Number(change)]).toEqual([of!.a, of!.b, of!.change].map((value) => Number((value * factor).toFixed(digits)) + 0))
    expect(interval.match(/[+-]?[\d.]+/g)!.map(Number)).toEqual([of!.interval!.low, of!.interval!.high].map((value) => Number((value * factor).toFixed(digits)) + 0))
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('amc compare', () => {
  let [root, dir] = ['', '']
  let project: ComparedProject

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'amc-compare-'))
    dir = join(root, 'project')
    await generateDemo({ dir: join(root, 'demo'), seed: 7, train: 30, closeUps: 4, heldOut: 40 })
    project = await makeComparedProject(dir, join(root, 'demo'))
    return () => rm(root, { recursive: true, force: true })
  }, 300_000)

  const compare = (count: number, ...more: string[]) =>
    amc('compare', '--project', dir, ...(['a', 'b', 'c', 'd'] as const).slice(0, count).flatMap((side, i) => [`--${side}`, project.checkpointIds[i + 5 - count]!]), '--split', 'val', ...more)

  test('--report and --csv: the files say what the answer says, and the answer what the database holds', async () => {
    const [report, csv] = [join(root, 'out.html'), join(root, 'out.csv')]
    const { code, err, json } = await compare(3, '--report', report, '--csv', csv, '--pictures', '2', '--rows', '--json')
    expect([code, err]).toEqual([0, ''])
    expect([json.report, json.csv]).toEqual([report, csv])

    const reader = readProject(dir)
    for (const { a, b, matrix } of json.pairs) {
      const [idA, idB] = [project.checkpointIds[a + 2]!, project.checkpointIds[b + 2]!]
      const cell = (hitA: number, hitB: number) => reader.count(`SELECT count(*) FROM scores x JOIN scores y ON y.region_id = x.region_id AND y.protocol = x.protocol JOIN regions r ON r.id = x.region_id
        WHERE x.checkpoint_id = ? AND y.checkpoint_id = ? AND r.split = 'val' AND x.pointing_hit = ? AND y.pointing_hit = ?`, idA, idB, hitA, hitB)
      expect(matrix).toEqual({ both: cell(1, 1), broken: cell(1, 0), fixed: cell(0, 1), neither: cell(0, 0) })
      expect(matrix.fixed + matrix.broken).toBeGreaterThan(0)
    }
    reader.close()

    const [head, ...lines] = parseCsv(await readFile(csv, 'utf8')) as [string[], ...string[][]]
    expect(lines).toHaveLength(json.regions)
    const column = (name: string) => lines.map((line) => Number(line[head.indexOf(name)]))
    json.checkpoints.forEach(({ name, means }, k) => {
      const side = 'abc'[k]!
      expect(new Set(lines.map((line) => line[head.indexOf(`${side}_checkpoint`)]))).toEqual(new Set([name]))
      expect(mean(column(`${side}_pointing_hit`))).toBeCloseTo(means!.pointingGame.value, 12)
      expect(mean(column(`${side}_consistency`))).toBeCloseTo(means!.consistency!.value, 12)
      expect(column(`${side}_consistency`)).toEqual(json.rows.map((row) => row.scores[k]!.insideEnergy))
    })

    const html = await readFile(report, 'utf8')
    const said = reportNumbers(html)
    expect(said.title).toBe(`${json.checkpoints.map(({ name }) => name).join(' · ')} on ${json.title}`)
    expect(said.pairs).toHaveLength(3)
    said.pairs.forEach((pair, i) => expectSame(pair, json.pairs[i]!))
    // Two pictures of what was fixed and two of what was broken, each under both, for each pair; as JPEG, inline.
    const pictures = [...html.matchAll(/<img src="data:image\/jpeg;base64,([^"]+)"/g)].map((found) => Buffer.from(found[1]!, 'base64'))
    const wanted = json.pairs.reduce((sum, { matrix }) => sum + 2 * (Math.min(2, matrix.fixed) + Math.min(2, matrix.broken)), 0)
    expect(pictures).toHaveLength(wanted)
    expect(pictures.every((picture) => picture.readUInt16BE(0) === 0xffd8 && picture.length > 500)).toBe(true)
    expect(html).toContain('loss.amc')
    expect((await readdir(root)).sort()).toEqual(['demo', 'out.csv', 'out.html', 'project'])
  }, 300_000)

  test('without --json it names the files it wrote; a place that cannot be written is told', async () => {
    const { code, out } = await compare(2, '--csv', join(root, 'again.csv'), '--draws', '200')
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n').at(-1)).toBe(join(root, 'again.csv'))
    const failed = await compare(2, '--report', join(root, 'out.csv', 'x.html'), '--draws', '200')
    expect(failed.code).toBe(3)
    expect(failed.err).toContain(join(root, 'out.csv', 'x.html'))
    expect(failed.err).not.toMatch(/our fault|stack/i)
  }, 300_000)

  test('--results: from result files alone, with neither project nor pictures', async () => {
    const folder = join(root, 'results')
    await mkdir(folder)
    const paths = [
      await writeResultFile(folder, 'one', Array.from({ length: 120 }, (_, i) => Number(i % 3 === 0))),
      await writeResultFile(folder, 'two', Array.from({ length: 120 }, (_, i) => Number(i % 2 === 0))),
    ]
    const [report, csv] = [join(folder, 'out.html'), join(folder, 'out.csv')]
    const { code, json } = await amc('compare', '--results', paths[0]!, '--results', paths[1]!, '--report', report, '--csv', csv, '--json')
    expect(code).toBe(0)
    expect(json.pairs[0]!.matrix).toEqual({ both: 20, broken: 20, fixed: 40, neither: 40 })
    const html = await readFile(report, 'utf8')
    expectSame(reportNumbers(html).pairs[0]!, json.pairs[0]!)
    expect(reportNumbers(html).pairs[0]!.measures['Match probability']![0]).toBe('no such value')
    expect(html).not.toContain('<img')
    expect(html).toContain('one: 1 phrases had no heatmap and count as misses')
    const [head, ...lines] = parseCsv(await readFile(csv, 'utf8')) as [string[], ...string[][]]
    expect(lines.filter((line) => line[head.indexOf('a_pointing_hit')] === '0' && line[head.indexOf('b_pointing_hit')] === '1')).toHaveLength(40)
    expect(await amc('compare', '--results', paths[0]!, '--results', paths[1]!, '--a', 'x')).toMatchObject({ code: 2 })
  }, 120_000)
})
