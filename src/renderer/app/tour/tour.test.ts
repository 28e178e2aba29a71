import { expect, test } from 'vitest'
import { SCREENS } from '../routes.ts'
import { TOUR } from './steps.ts'
import { wasSeen } from './tour.ts'

test('the tour is told from its own cookie alone', () => {
  expect(wasSeen('')).toBe(false)
  expect(wasSeen('other=1; amc-tour=seen')).toBe(true)
  expect(wasSeen('my-amc-tour=seen')).toBe(false)
  expect(wasSeen('amc-tour=seenx')).toBe(false)
})

test('ninety seconds: its words can be read aloud in that time, and every stop is a screen', () => {
  const words = TOUR.flatMap(({ title, text }) => `${title} ${text}`.split(/\s+/)).length
  // 180 words a minute, and three seconds to look around at each stop.
  expect((words / 180) * 60 + 3 * TOUR.length).toBeLessThanOrEqual(95)
  for (const { screen } of TOUR) expect(SCREENS).toContain(screen)
})
