import { stat } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { prepareHeat, scoreRegion } from '../../shared/consistency.ts'
import { AppError } from '../../shared/errors.ts'
import type { Box } from '../../shared/geometry.ts'
import { boxesOnly } from '../../shared/shape.ts'
import { spawnCompute } from '../compute/client.ts'
import { readImageHeader } from '../images/decode.ts'
import type { Command } from './command.ts'
import { EXPLAINER_LINES, EXPLAINER_OPTIONS, explainerChoice } from './explainer-options.ts'
import { writeHeatPicture } from '../images/heat-picture.ts'
import { MODEL_OPTION, modelNamed } from './lookup.ts'

export const explainCommand: Command = {
  name: 'explain',
  summary: 'See where a checkpoint looks for a phrase.',
  positionals: [],
  options: {
    checkpoint: { type: 'string', value: 'FILE', help: 'Checkpoint (.safetensors or .pth).', required: true },
    image: { type: 'string', value: 'FILE', help: 'Image.', required: true },
    phrase: { type: 'string', value: 'TEXT', help: 'What to look for.', required: true },
    box: { type: 'string', value: 'x1,y1,x2,y2', help: 'Box in pixels of the image; with it the scores are computed.', multiple: true },
    ...EXPLAINER_OPTIONS,
    model: MODEL_OPTION,
    out: { type: 'string', value: 'FILE', help: 'Writes the heat over the image as a picture (.png, .jpg, .webp).' },
  },
  details: `Result: {heatmap: number[][] (rows of the raw grid), scores (null without a box), peak: {x, y}, matchProbability, image: {width, height},
  tokens, truncated, layer, maskSize, protocol, computeMs}. Scores: pointingHit, insideEnergy (consistency), meanMargin, maxMargin, amcMean, amcMax, softIou, uncertain.
The protocol names the explainer where it is not the usual one. Explainers (formulas in docs/evaluation.md):
${EXPLAINER_LINES}`,
  run: async (input, io) => {
    const imagePath = resolve(input.need('image'))
    const checkpointPath = resolve(input.need('checkpoint'))
    const model = input.text('model')
    const out = input.text('out')
    if (out && !['.png', '.jpg', '.jpeg', '.webp'].includes(extname(out).toLowerCase())) {
      throw new AppError('usage', `--out must end in .png, .jpg or .webp; it is ${out}.`, 'Choose another ending.')
    }
    const folder = out && dirname(resolve(out))
    if (folder && !(await stat(folder).catch(() => null))?.isDirectory()) throw new AppError('bad-input', `The folder ${folder} does not exist, so the picture cannot be written.`, 'Make it first, or choose another place with --out.')
    const phrase = input.need('phrase').trim()
    if (phrase === '') throw new AppError('usage', '--phrase is empty.', 'Say what to look for: --phrase "a red bird".', 'phrase')
    const explainer = explainerChoice(input)
    const boxes = input.all('box').map(parseBox)
    if (!(await stat(checkpointPath).catch(() => null))?.isFile()) throw new AppError('bad-input', `There is no checkpoint file ${checkpointPath}.`, 'Check the path.')
    const header = await readImageHeader(imagePath)
    const compute = spawnCompute({ role: 'interactive', onLog: io.note })
    try {
      const request = { checkpointPath, imagePath, phrases: [input.need('phrase')], ...(model ? { modelConfigPath: modelNamed(model) } : {}), ...(explainer ? { explainer } : {}) }
      const { phrases, image, computeMs } = await compute.call('explain', request, { signal: io.signal })
      const found = phrases[0]!
      const scores = boxes.length > 0 ? scoreRegion(prepareHeat(found.grid, found.peak, found.maskSize), boxesOnly(boxes), header) : null
      if (out) await writeHeatPicture(resolve(out), imagePath, found.grid, boxes, found.peak)
      const { values, width, height } = found.grid
      const heatmap = Array.from({ length: height }, (_, y) => Array.from(values.subarray(y * width, (y + 1) * width)))
      const { peak, matchProbability, tokens, truncated, layer, maskSize, protocol } = found
      return {
        json: { heatmap, scores, peak, matchProbability, image, tokens, truncated, layer, maskSize, protocol, computeMs },
        lines: [
          `Match probability  ${matchProbability.toFixed(3)}`,
          `Peak               ${peak.x}, ${peak.y} of ${image.width} x ${image.height} (${protocol})`,
          ...(truncated ? [`The phrase was cut to ${tokens.length} tokens: ${tokens.join(' ')}`] : []),
          ...(scores ? [`Consistency        ${scores.insideEnergy.toFixed(3)} of the heat lies inside`, `Pointing           ${scores.pointingHit ? 'hit' : 'miss'}`] : []),
          ...(out ? [`Written            ${resolve(out)}`] : []),
        ],
      }
    } finally {
      await compute.close(2_000)
    }
  },
}

function parseBox(text: string): Box {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  const [x1, y1, x2, y2] = numbers
  if (numbers.length !== 4 || !numbers.every(Number.isFinite) || !(x2! > x1! && y2! > y1!)) {
    throw new AppError('usage', `--box must be four numbers x1,y1,x2,y2 with x2 > x1 and y2 > y1; it is "${text}".`, 'For example --box 10,20,110,95')
  }
  return [x1!, y1!, x2!, y2!]
}
