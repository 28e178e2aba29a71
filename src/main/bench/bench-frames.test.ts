import { expect, it } from 'vitest'
import { scriptOf } from './bench-frames.ts'

it('counts what functions of the page take themselves, a frame, and neither idling nor the browser', () => {
  const node = (id: number, functionName: string) => ({ id, callFrame: { functionName, url: 'http://x/assets/page.js', lineNumber: 4 } })
  const profile = {
    nodes: [node(1, '(root)'), node(2, '(idle)'), node(3, 'paintBoxes'), node(4, '(garbage collector)'), node(5, ''), node(6, '(program)'), node(7, 'paintBoxes')],
    samples: [2, 3, 3, 4, 5, 6, 7], timeDeltas: [9000, 1000, 1000, 500, 200, 7000, 2000],
  }
  expect(scriptOf(profile, 2)).toEqual({
    scriptMsPerFrame: 2.1, garbageMsPerFrame: 0.25, hot: [{ name: 'paintBoxes', ms: 2 }, { name: '(anonymous page.js:5)', ms: 0.1 }],
  })
})
