import { describe, expect, it } from 'vitest'
import type { TileAddress } from '../../../shared/tiles.ts'
import { createTileSource, isTiled } from './tile-source.ts'

const at = (level: number, x: number): TileAddress => ({ level, x, y: 0 })
const settled = () => new Promise((resolve) => setTimeout(resolve))

function open(fails: (tile: TileAddress) => boolean = () => false) {
  const asked: string[] = []
  const answers = new Map<string, () => void>()
  const source = createTileSource({ width: 20_000, height: 15_000 }, (tile) => {
    const name = `${tile.level}/${tile.x}`
    asked.push(name)
    return new Promise<ImageBitmap>((resolve, reject) => answers.set(name, () => (fails(tile) ? reject(new Error('gone')) : resolve({ width: 1, height: 1, close: () => undefined }))))
  })
  const answer = async (name: string) => {
    answers.get(name)!()
    await settled()
  }
  return { source, asked, answer }
}

describe('the tiles of an image', () => {
  it('begin with the coarsest alone, while the engine may still be cutting', async () => {
    const { source, asked, answer } = open()
    expect(source.get(at(0, 0))).toBeNull()
    expect(source.get(at(6, 3))).toBeNull()
    await settled()
    expect(asked).toEqual(['0/0'])
    expect(source.state()).toBe('waiting')
    let told = 0
    source.subscribe(() => void told++)
    await answer('0/0')
    expect([source.state(), told]).toEqual(['ready', 1])
    expect(source.get(at(0, 0))).not.toBeNull()
  })

  it('load the newest wish first, four at a time, each once', async () => {
    const { source, asked, answer } = open()
    source.get(at(0, 0))
    await settled()
    await answer('0/0')
    for (let x = 0; x < 10; x++) source.get(at(6, x))
    source.get(at(6, 9))
    await settled()
    expect(asked).toEqual(['0/0', '6/9', '6/8', '6/7', '6/6'])
    source.get(at(6, 2))
    await answer('6/8')
    expect(asked.slice(5)).toEqual(['6/2'])
    expect(source.get(at(6, 8))).not.toBeNull()
    expect(asked.filter((name) => name === '6/8')).toHaveLength(1)
  })

  it('forget those that were passed by long ago, and never the coarsest', async () => {
    const { source, answer } = open()
    source.get(at(0, 0))
    await settled()
    await answer('0/0')
    for (let x = 0; x < 300; x++) {
      source.get(at(6, x))
      await settled()
      await answer(`6/${x}`)
    }
    expect(source.kept().length).toBe(240)
    expect(source.peek(at(6, 0))).toBeNull()
    expect(source.peek(at(6, 299))).not.toBeNull()
    expect(source.peek(at(0, 0))).not.toBeNull()
  })

  it('say when the image cannot be cut, and do not ask for a broken tile again and again', async () => {
    const { source, asked, answer } = open((tile) => tile.level === 0)
    source.get(at(0, 0))
    await settled()
    await answer('0/0')
    expect(source.state()).toBe('failed')
    source.get(at(0, 0))
    await settled()
    expect(asked).toEqual(['0/0'])
  })

  it('stop with their image', async () => {
    const { source, asked } = open()
    source.stop()
    source.get(at(0, 0))
    await settled()
    expect(asked).toEqual([])
    source.start()
    source.get(at(0, 0))
    await settled()
    expect(asked).toEqual(['0/0'])
  })

  it('are for images above the limit alone', () => {
    expect(isTiled({ width: 8000, height: 5000 }, 40)).toBe(false)
    expect(isTiled({ width: 8000, height: 5001 }, 40)).toBe(true)
  })
})
