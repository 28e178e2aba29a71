import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import type { Command } from './command.ts'
import { COMMANDS } from './commands.ts'
import { writeHeatPicture } from '../images/heat-picture.ts'
import { modelNamed, pickNamed } from './lookup.ts'
import { createProgress } from './progress.ts'
import { runCli } from './run-cli.ts'

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'amc-cli-'))))
afterAll(() => rm(dir, { recursive: true, force: true }))

async function amc(args: readonly string[], commands: readonly Command[] = COMMANDS) {
  let out = ''
  let err = ''
  const code = await runCli(commands, args, { stdout: { write: (t) => (out += t) }, stderr: { write: (t) => (err += t) } }, new AbortController().signal, '1.2.3')
  return { code, out, err }
}

const echo: Command = {
  name: 'echo', summary: 'Says it back.', positionals: ['WORD', 'MORE?'], details: 'Nothing more.',
  options: {
    times: { type: 'string', value: 'N', help: 'How often.' },
    project: { type: 'string', value: 'DIR', help: 'Where.', required: true },
    box: { type: 'string', help: 'Boxes.', multiple: true },
    loud: { type: 'boolean', help: 'Louder.' },
  },
  run: async (input, io) => {
    const word = input.positionals[0]!
    if (word === 'bad-input') throw new AppError('bad-input', 'a.json is not valid.', 'Mend it.', 'a.json:3:4')
    if (word === 'missing') throw new AppError('runtime-missing', 'TensorFlow is not installed.', 'Run `npm run setup`.')
    if (word === 'fault') throw new TypeError('x is not a function')
    if (word === 'cancelled') throw new AppError('cancelled', 'Cancelled.')
    io.progress.report('Echoing', 1, 2)
    const times = input.integer('times', { min: 1, max: 9 }) ?? 1
    return { json: { word, times, loud: input.has('loud'), boxes: input.all('box'), project: input.need('project') }, lines: Array.from({ length: times }, () => word), ...(word === 'no' ? { exitCode: 3 } : {}) }
  },
}
const echoed = (...args: string[]) => amc(['echo', ...args], [echo])

describe('arguments', () => {
  it('prints one JSON object on stdout and everything else on stderr', async () => {
    const { code, out, err } = await echoed('hi', '--project', 'p', '--json', '--times=3', '--box', '-1,2,3,4', '--box', '5,6,7,8')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ word: 'hi', times: 3, loud: false, boxes: ['-1,2,3,4', '5,6,7,8'], project: 'p' })
    expect(out.split('\n')).toHaveLength(2)
    expect(err).toBe('Echoing 50 % (1 of 2)\n')
  })
  it('prints lines for people without --json', async () => {
    expect((await echoed('hi', '--project', 'p', '--times', '2')).out).toBe('hi\nhi\n')
  })
  it.each([
    [['hi', '--projct', 'p'], /no option --projct.*\n.*Did you mean --project\?/],
    [['hi', '--project'], /--project needs a value \(DIR\)/],
    [['hi', '--project', '--json'], /--project needs a value/],
    [['hi'], /needs --project DIR/],
    [['--project', 'p'], /needs WORD/],
    [['hi', 'more', 'much', '--project', 'p'], /does not know what to do with "much"/],
    [['hi', '--project', 'p', '--project', 'q'], /--project is given more than once/],
    [['hi', '--project', 'p', '--loud=yes'], /--loud takes no value/],
    [['hi', '--project', 'p', '--times', '1.5'], /must be a whole number from 1 to 9; it is "1\.5"/],
    [['hi', '--project', 'p', '--times', '99'], /from 1 to 9/],
    [['hi', '-x', '--project', 'p'], /no option -x/],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, out, err } = await echoed(...args)
    expect(code).toBe(2)
    expect(err).toMatch(message)
    if (!args.includes('--json')) expect(out).toBe('')
  })
  it('names the nearest command, and lists them when none is near', async () => {
    expect((await amc(['trian'])).err).toMatch(/no command trian\.\n {2}Did you mean train\?/)
    expect((await amc(['zzzzzzzz'])).err).toMatch(/Commands are doctor, /)
    expect((await amc(['trian'])).code).toBe(2)
  })
  it.each([['bad-input', 3], ['missing', 4], ['fault', 1], ['cancelled', 130], ['no', 3]] as const)('%s ends with exit code %i', async (word, expected) => {
    const { code, out } = await echoed(word, '--project', 'p', '--json')
    expect(code).toBe(expected)
    if (word !== 'no') expect((JSON.parse(out) as { error: { code: string } }).error.code).toBeTruthy()
  })
  it('says place and cure of an error', async () => {
    expect((await echoed('bad-input', '--project', 'p')).err).toBe('a.json is not valid. (a.json:3:4)\n  Mend it.\n')
  })
})

describe('help', () => {
  it.each(COMMANDS.map((command) => command.name))('amc %s --help says every option and its result', async (name) => {
    const { code, out } = await amc([...name.split(' '), '--help'])
    expect(code).toBe(0)
    for (const option of Object.keys(COMMANDS.find((command) => command.name === name)!.options)) expect(out).toContain(`--${option}`)
    expect(out).toMatch(/Usage: amc/)
    expect(out).toMatch(/--json/)
  })
  it('lists all commands, and counts no command as wrong usage', async () => {
    const { code, out } = await amc(['--help'])
    expect(code).toBe(0)
    for (const { name } of COMMANDS) expect(out).toContain(`  ${name}`)
    expect((await amc([])).code).toBe(2)
    expect((await amc(['help', 'train'])).out).toMatch(/^Train on a dataset/)
    expect((await amc(['--version'])).out).toBe('1.2.3\n')
  })
  it('of a word that several commands begin with lists those', async () => {
    for (const asked of [['checkpoint', '--help'], ['help', 'checkpoint'], ['checkpoint', '-h']]) {
      const { code, out, err } = await amc(asked)
      expect([code, err]).toEqual([0, ''])
      expect(out.match(/^ {2}\w+ \w+/gm)).toEqual(COMMANDS.filter(({ name }) => name.startsWith('checkpoint ')).map(({ name }) => `  ${name}`))
    }
    expect((await amc(['bench'])).code).toBe(2)
    expect((await amc(['checkpoint', 'inspec'])).err).toContain('Did you mean checkpoint inspect?')
  })
})

describe('parts', () => {
  it('finds things by id, name, or because there is only one', () => {
    const items = [{ id: '1', name: 'demo' }, { id: '2', name: 'photos' }, { id: '3', name: 'twin' }, { id: '4', name: 'twin' }]
    expect(pickNamed(items, 'photos', 'dataset', 'dataset').id).toBe('2')
    expect(pickNamed(items, '3', 'dataset', 'dataset').id).toBe('3')
    expect(pickNamed(items.slice(0, 1), undefined, 'dataset', 'dataset').id).toBe('1')
    expect(() => pickNamed(items, 'foto', 'dataset', 'dataset')).toThrow(/no dataset foto/)
    expect(() => pickNamed(items, 'twin', 'dataset', 'dataset')).toThrow(/2 datasets are called twin/)
    expect(() => pickNamed(items, undefined, 'dataset', 'dataset')).toThrow(/has 4 datasets/)
    expect(() => pickNamed([], undefined, 'dataset', 'dataset')).toThrow(/no dataset yet/)
  })
  it('redraws one line on a terminal and writes few lines elsewhere', () => {
    let written = ''
    let now = 0
    const plain = createProgress({ write: (t) => (written += t) }, () => now)
    for (let i = 0; i <= 100; i++) {
      plain.report('Reading', i, 100)
      now += 100
    }
    expect(written).toBe('Reading 0 % (0 of 100)\nReading 50 % (50 of 100)\nReading 100 % (100 of 100)\n')
    written = ''
    const terminal = createProgress({ write: (t) => (written += t), isTTY: true, columns: 30 }, () => now)
    terminal.report('Reading', 1, 2, 'with a very long explanation behind')
    terminal.end()
    terminal.end()
    expect(written).toBe(`\r\u001B[2K${'Reading 50 % (1 of 2)  with a very long explanation behind'.slice(0, 29)}\n`)
  })
  it('lays heat over the image: bright where it is hot, grey and dark elsewhere', async () => {
    const image = join(dir, 'image.png')
    await sharp({ create: { width: 64, height: 48, channels: 3, background: { r: 200, g: 100, b: 50 } } }).png().toFile(image)
    const values = new Float32Array(16)
    values[5] = 1
    await writeHeatPicture(join(dir, 'heat.png'), image, { width: 4, height: 4, values }, [[2, 2, 40, 40]], { x: 23, y: 17 })
    const { data, info } = await sharp(join(dir, 'heat.png')).removeAlpha().raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).toEqual([64, 48])
    const pixel = (x: number, y: number) => [...data.subarray((y * 64 + x) * 3, (y * 64 + x) * 3 + 3)]
    const [hot, cold] = [pixel(26, 20), pixel(60, 44)]
    expect(hot[0]! + hot[1]!).toBeGreaterThan(380)
    expect(Math.max(...cold) - Math.min(...cold)).toBeLessThan(12)
    expect(cold[0]).toBeLessThan(90)
  })
})

describe('the real commands', () => {
  it('refuse wrong boxes, missing images and missing checkpoints before anything is loaded', async () => {
    const image = join(dir, 'image.png')
    const explain = (...more: string[]) => amc(['explain', '--phrase', 'x', ...more])
    expect(await explain('--checkpoint', image, '--image', image, '--box', '1,2,3')).toMatchObject({ code: 2 })
    expect(await explain('--checkpoint', image, '--image', image, '--out', 'heat.pdf')).toMatchObject({ code: 2 })
    expect(await explain('--checkpoint', image, '--image', image, '--out', join(dir, 'nodir', 'heat.png'))).toMatchObject({ code: 3, err: expect.stringMatching(/The folder .*nodir does not exist/) as string })
    expect(await amc(['explain', '--checkpoint', image, '--image', image, '--phrase', ' '])).toMatchObject({ code: 2, err: expect.stringMatching(/--phrase is empty/) as string })
    expect(await explain('--checkpoint', join(dir, 'none.safetensors'), '--image', image)).toMatchObject({ code: 3 })
    expect(await explain('--checkpoint', image, '--image', join(dir, 'none.png'))).toMatchObject({ code: 3, err: expect.stringMatching(/image is missing/) })
  })
  it('import lists everything that was skipped with --json, however much it is', async () => {
    const annotations = join(dir, 'many.json')
    const gone = Array.from({ length: 10_050 }, (_, i) => ({ image: 'image.png', caption: i, bbox: [[1, 1, 20, 20]] }))
    await writeFile(annotations, JSON.stringify([{ image: 'image.png', caption: 'a square', bbox: [[1, 1, 20, 20]] }, ...gone]))
    const { out } = await amc(['import', annotations, '--project', join(dir, 'many'), '--json'])
    expect((JSON.parse(out) as { skipped: unknown[] }).skipped).toHaveLength(10_050)
    expect((await amc(['import', annotations, '--project', join(dir, 'many'), '--again'])).out).toMatch(/10050 skipped:[\s\S]*and 10030 more/)
  })
  it.each([
    ['resume'], ['export', '--format', 'coco', '--out', 'x'], ['score', '--checkpoint', 'x'], ['compare', '--a', 'x', '--b', 'y'], ['train', '--config', 'demo-amc'], ['trust', '--checkpoint', 'x'],
    ['archive', '--out', 'x.zip'], ['evaluate', '--protocol', 'view', '--checkpoint', 'x'], ['import', '.', '--update'],
  ])('%s makes no project where there is none', async (...args) => {
    const absent = join(dir, 'absent')
    expect(await amc([...args, '--project', absent])).toEqual({ code: 3, out: '', err: `There is no project at ${absent}.\n  Check the path. \`amc import PATH --project DIR\` makes a project.\n` })
    expect(existsSync(absent)).toBe(false)
  })
  it('import says how many boxes there are and which are odd, what is next, and makes no second dataset of the same source unasked', async () => {
    const project = join(dir, 'twice')
    const annotations = join(dir, 'edges.json')
    const entry = (bbox: number[][], caption: string) => ({ image: 'image.png', caption, bbox })
    await writeFile(annotations, JSON.stringify([entry([[1, 1, 20, 20], [30, 30, 40, 40]], 'two'), entry([[500, 500, 520, 520]], 'far'), entry([[50, 30, 80, 40]], 'over')]))
    const first = await amc(['import', annotations, '--project', project])
    expect(first.out.split('\n')).toEqual([
      'edges: 1 image, 4 boxes in 3 regions (amc-json)', '1 region with a box outside the image; kept as it is and flagged', '1 region with a box over the edge of the image; kept as it is and flagged',
      `Next: look at it with \`amc serve --project ${project}\`, or train on it with \`amc train\`.`, '',
    ])
    expect(await amc(['import', annotations, '--project', project])).toEqual({
      code: 3, out: '', err: `${annotations} is in the project already, as the dataset edges.\n  Bring that up to date with --update, or make a second one with --again.\n`,
    })
    const again = JSON.parse((await amc(['import', annotations, '--project', project, '--again', '--json'])).out) as object
    expect(again).toMatchObject({ name: 'edges 2', boxes: 4, flagged: { 'outside-image': 1, 'crosses-edge': 1 } })
  })
  it('--model is a name of a model or the path of a file', () => {
    expect(modelNamed('albef-base')).toBe('albef-base')
    expect(modelNamed('mine.yaml')).toBe(resolve('mine.yaml'))
    expect(modelNamed('./sizes/mine')).toBe(resolve('sizes/mine'))
  })
  it('import brings a folder into a project, and a malformed file brings in nothing', async () => {
    const project = join(dir, 'project')
    const annotations = join(dir, 'annotations.json')
    await writeFile(annotations, `[{"image": "image.png", "caption": "a square", "bbox": [[1, 1, 20, 20]]},\n{"image": "gone.png", "caption": "b", "bbox": [[1, 1, 2, 2]]}]`)
    const { code, out } = await amc(['import', annotations, '--project', project, '--name', 'squares', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ name: 'squares', format: 'amc-json', images: 1, regions: 1, skipped: [{ file: 'annotations.json', line: 2, reason: expect.stringMatching(/missing/) }] })
    await writeFile(annotations, '[{"image": "image.png", "caption": "a square" "bbox": []}]')
    const broken = await amc(['import', annotations, '--project', project, '--again'])
    expect(broken).toMatchObject({ code: 3, err: expect.stringMatching(/line 1, column 47/) })
    expect((await amc(['score', '--project', project, '--dataset', 'squars', '--checkpoint', 'none'])).err).toMatch(/Did you mean squares\?/)
    expect(existsSync(join(project, 'project.sqlite'))).toBe(true)
  })
})
