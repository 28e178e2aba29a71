import { describe, expect, test } from 'vitest'
import { isAppError } from '../errors.ts'
import { flattenConfig, parseAssignment, parseRunConfig, settingsOf, withOverrides } from './run-config.ts'

function refusal(action: () => unknown): { message: string; cure: string; place: string | undefined } {
  try {
    action()
  } catch (error) {
    if (isAppError(error)) return { message: error.message, cure: error.cure, place: error.place }
    throw error
  }
  throw new Error('It was accepted.')
}

const defaults = parseRunConfig({})

describe('wrong settings are refused in words', () => {
  test.each([
    { given: { stepss: 5 }, cure: 'Did you mean "steps"?' },
    { given: { loss: { amx: 1 } }, cure: 'Did you mean "loss.amc"?' },
    { given: { los: { amc: 1 } }, cure: 'Did you mean "loss"?' },
    { given: { learningRate: 1 }, cure: 'Did you mean "optimizer.learningRate"?' },
  ])('an unknown key names the nearest one: $cure', ({ given, cure }) => {
    const { message, cure: told } = refusal(() => parseRunConfig(given, 'mine.yaml'))
    expect(message).toMatch(/^There is no setting ".+" in mine\.yaml\.$/)
    expect(told).toBe(cure)
  })

  test.each([
    { given: { steps: -1 }, says: 'steps cannot be -1: it must be a whole number of at least 0.' },
    { given: { data: { flip: 2 } }, says: 'data.flip cannot be 2: it must be a number from 0 to 1.' },
    { given: { schedule: { kind: 'linear' } }, says: 'schedule.kind cannot be "linear": it must be one of steps, reference.' },
    { given: { loss: { itm: 'yes' } }, says: 'loss.itm cannot be "yes": it must be true or false.' },
    { given: { steps: null }, says: 'steps cannot be null: it must be a whole number of at least 0.' },
  ])('$says', ({ given, says }) => {
    expect(refusal(() => parseRunConfig(given, 'mine.yaml'))).toMatchObject({ message: `mine.yaml: ${says}` })
  })

  test('settings that contradict each other name the key', () => {
    expect(refusal(() => withOverrides(defaults, { 'loss.itm': false }))).toMatchObject({ place: 'loss.itm' })
    expect(refusal(() => withOverrides(defaults, { steps: 0, epochs: 0 }))).toMatchObject({ place: 'steps' })
    expect(refusal(() => withOverrides(defaults, { 'curriculum.contrastOnly': 0.5 }))).toMatchObject({ place: 'curriculum.contrastOnly' })
  })

  test('a list instead of settings', () => {
    expect(refusal(() => parseRunConfig([], 'mine.yaml')).message).toBe('mine.yaml hold no settings.')
  })
})

test('overrides change what they name and nothing else', () => {
  const changed = withOverrides(defaults, { steps: 300, 'loss.amc': 0 })
  expect(flattenConfig(changed)).toEqual({ ...flattenConfig(defaults), steps: 300, 'loss.amc': 0 })
  expect(defaults.steps).toBe(1000)
})

test('every setting of the form has a label, a sentence and a value of its kind', () => {
  const settings = settingsOf(defaults)
  expect(settings.length).toBeGreaterThan(40)
  for (const setting of settings) {
    expect(setting.label).not.toBe('')
    expect(setting.help).toMatch(/\S \S.*[.?]$/)
    const type = { integer: 'number', number: 'number', boolean: 'boolean', choice: 'string', text: 'string' }[setting.kind]
    expect(typeof setting.value).toBe(type)
    if (setting.kind === 'choice') expect(setting.choices).toContain(setting.value)
  }
})

test('--set reads values by the kind of the setting', () => {
  expect(parseAssignment('steps=300')).toEqual({ key: 'steps', value: 300 })
  expect(parseAssignment('loss.mlm=false')).toEqual({ key: 'loss.mlm', value: false })
  expect(parseAssignment('schedule.kind=reference')).toEqual({ key: 'schedule.kind', value: 'reference' })
  expect(refusal(() => parseAssignment('steps=abc')).message).toBe('steps cannot be "abc": it must be a whole number of at least 0.')
  expect(refusal(() => parseAssignment('steps')).message).toBe('--set needs key=value, but got "steps".')
})
