import { describe, expect, it } from 'vitest'
import { limiter } from './limiter.ts'

describe('limiter', () => {
  it('runs at most so many at a time, the newest waiting first', async () => {
    const limited = limiter(2)
    let running = 0
    let most = 0
    const order: number[] = []
    const release: (() => void)[] = []
    const call = (n: number) => limited(async () => {
      running++
      most = Math.max(most, running)
      order.push(n)
      await new Promise<void>((resolve) => release.push(resolve))
      running--
      return n
    })
    const all = [1, 2, 3, 4].map(call)
    while (order.length < 4) {
      await new Promise((resolve) => setTimeout(resolve, 0))
      release.shift()?.()
    }
    for (const resolve of release) resolve()
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4])
    expect(most).toBe(2)
    expect(order).toEqual([1, 2, 4, 3])
  })

  it('gives the slot back after a failure, and skips what is no longer wanted', async () => {
    const limited = limiter(1)
    await expect(limited(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    const aborted = new AbortController()
    aborted.abort()
    let called = false
    await expect(limited(() => { called = true; return Promise.resolve(1) }, aborted.signal)).rejects.toThrow('No longer wanted')
    expect(called).toBe(false)
    expect(await limited(() => Promise.resolve(2))).toBe(2)
  })
})
