import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect as connectTcp, createServer } from 'node:net'
import { join } from 'node:path'
import sharp from 'sharp'
import { describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createEngine } from '../../src/main/engine/engine.ts'
import { annotationsOf, connect, fakeCompute, importInto, serveTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

interface Answer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

/** A request whose Host, Origin and path are exactly as given: fetch would correct them. */
function ask(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { hostname, port, host } = new URL(url)
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path, method, headers: { host, ...headers } }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

async function withPage() {
  const pageDir = join(await temporaryFolder(), 'page')
  await mkdir(join(pageDir, 'assets'), { recursive: true })
  await writeFile(join(pageDir, 'index.html'), '<!doctype html><script src="/assets/a.js"></script>')
  await writeFile(join(pageDir, 'assets', 'a.js'), 'console.info(1)')
  await writeFile(join(pageDir, '..', 'secret.txt'), 'secret')
  await symlink(join(pageDir, '..', 'secret.txt'), join(pageDir, 'assets', 'link.txt'))
  const engine = await serveTestEngine({ pageDir })
  return { ...engine, key: { authorization: `Bearer ${engine.token}` } }
}

const opens = (url: string, options: ConstructorParameters<typeof WebSocket>[2]): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}rpc`, options)
    socket.once('open', () => (socket.terminate(), resolve(true)))
    socket.once('error', () => resolve(false))
  })

describe('the key', () => {
  test('is 256 bits, new at each start', async () => {
    const [one, two] = [await serveTestEngine(), await serveTestEngine()]
    expect(Buffer.from(one.token, 'base64url').length).toBe(32)
    expect(one.token).not.toBe(two.token)
  })

  test('in the address becomes a cookie that no script and no other site can use, and leaves the address', async () => {
    const { url, token } = await withPage()
    const first = await ask(url, `/?token=${token}`)
    expect(first.status).toBe(302)
    expect(first.headers.location).toBe('/')
    const cookie = String(first.headers['set-cookie'])
    expect(cookie).toMatch(/HttpOnly/)
    expect(cookie).toMatch(/SameSite=Strict/)
    const page = await ask(url, '/', { cookie: cookie.split(';')[0]! })
    expect(page.status).toBe(200)
    expect(page.headers['cache-control']).toBe('no-store')
  })

  test.each([
    ['nothing', {}],
    ['a wrong bearer', { authorization: 'Bearer wrong' }],
    ['an empty bearer', { authorization: 'Bearer ' }],
    ['a wrong cookie', { cookie: 'amc=1' }],
  ])('is needed for everything: %s opens nothing', async (_name, headers: Record<string, string>) => {
    const { url } = await withPage()
    for (const path of ['/', '/assets/a.js', '/health', '/api/check', '/media/image/x', '/media/thumb/x', '/media/tile/x/0/0/0', '/nothing', '/?token=wrong', '/?token=']) {
      expect([path, (await ask(url, path, headers)).status]).toEqual([path, 401])
    }
  })

  test('of one engine does not open another', async () => {
    const [one, two] = [await withPage(), await withPage()]
    expect((await ask(one.url, '/', two.key)).status).toBe(401)
  })
})

describe('other sites', () => {
  test.each(['evil.example', 'evil.example:PORT', '127.0.0.1.evil.example:PORT', '127.0.0.1:1', 'localhost', '[::2]:PORT', '0.0.0.0:PORT', '192.168.1.5:PORT'])('Host %j is not served, even with the key', async (host) => {
    const { url, key } = await withPage()
    const answer = await ask(url, '/', { ...key, host: host.replace('PORT', new URL(url).port) })
    expect([400, 421]).toContain(answer.status)
  })

  test('a request without any Host is not served', async () => {
    const { url, token } = await withPage()
    const answer = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connectTcp(Number(new URL(url).port), '127.0.0.1', () => socket.write(`GET / HTTP/1.0\r\nauthorization: Bearer ${token}\r\n\r\n`))
      socket.on('data', (part) => (text += String(part))).on('close', () => resolve(text))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 421 /)
  })

  test.each(['http://evil.example', 'null', 'https://127.0.0.1:PORT', 'http://localhost:1', 'file://'])('Origin %s is refused, even with the key', async (origin) => {
    const { url, key } = await withPage()
    const answer = await ask(url, '/health', { ...key, origin: origin.replace('PORT', new URL(url).port) })
    expect(answer.status).toBe(403)
  })

  test('localhost and 127.0.0.1 are both the engine itself', async () => {
    const { url, key } = await withPage()
    for (const name of ['localhost', '127.0.0.1']) {
      const host = `${name}:${new URL(url).port}`
      expect((await ask(url, '/health', { ...key, host, origin: `http://${host}` })).status).toBe(200)
    }
  })

  test('cannot open the WebSocket: neither with the cookie of a person who is there, nor with the key, nor without an origin', async () => {
    const { url, token } = await withPage()
    const { port, host } = new URL(url)
    const cookie = `amc_${port}=${token}`
    expect(await opens(url, { headers: { cookie }, origin: `http://${host}` })).toBe(true)
    expect(await opens(url, { headers: { authorization: `Bearer ${token}` } })).toBe(true)
    expect(await opens(url, { headers: { cookie }, origin: 'http://evil.example' })).toBe(false)
    expect(await opens(url, { headers: { cookie, authorization: `Bearer ${token}` }, origin: 'http://evil.example' })).toBe(false)
    expect(await opens(url, { headers: { cookie, host: 'evil.example' }, origin: 'http://evil.example' })).toBe(false)
    expect(await opens(url, { headers: { cookie } })).toBe(false)
    expect(await opens(url, { headers: {} })).toBe(false)
    expect(await opens(url, { headers: { cookie: `amc_${port}=wrong` }, origin: `http://${host}` })).toBe(false)
  })

  test('cannot load an image into their page even when the browser sends the cookie', async () => {
    const { url, token } = await withPage()
    const cookie = `amc_${new URL(url).port}=${token}`
    expect((await ask(url, '/health', { cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' })).status).toBe(403)
  })
})

describe('what is served', () => {
  test('the page under a policy that lets it run its own scripts only', async () => {
    const { url, key } = await withPage()
    const { headers } = await ask(url, '/', key)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).toContain(`connect-src 'self' ws://${new URL(url).host}`)
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  test.each(['/../secret.txt', '/assets/../../secret.txt', '/assets/%2e%2e/%2e%2e/secret.txt', '/assets/..%2f..%2fsecret.txt', '/assets/link.txt', '/%00', '/..%5csecret.txt', '//etc/passwd', '/assets', '/%E0%A4%A'])(
    'nothing outside the page: %s', async (path) => {
      const { url, key } = await withPage()
      const answer = await ask(url, path, key)
      expect(answer.status).toBe(404)
      expect(answer.body.toString()).not.toContain('secret')
    },
  )

  test('only reading', async () => {
    const { url, key } = await withPage()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await ask(url, '/', key, method)).status).toBe(405)
  })

  test('a request that is no HTTP ends the connection and nothing else', async () => {
    const { url, key } = await withPage()
    await new Promise<void>((resolve) => {
      const socket = connectTcp(Number(new URL(url).port), '127.0.0.1', () => socket.write('\0\0\0garbage\r\n\r\n'))
      socket.on('close', () => resolve()).on('error', () => undefined).resume()
    })
    expect((await ask(url, '/health', key)).status).toBe(200)
  })
})

describe('images', () => {
  test('by id: as they are, and as thumbnails that are made once', async () => {
    const engine = await withPage()
    const folder = join(await temporaryFolder(), 'data')
    await importInto(engine, await writeDataset(folder, annotationsOf(1, 1), { width: 900, height: 600 }))
    const { id } = engine.context.db.get<{ id: string }>('SELECT id FROM images')!
    const image = await ask(engine.url, `/media/image/${id}`, engine.key)
    expect([image.status, image.headers['content-type']]).toEqual([200, 'image/png'])
    const thumb = await ask(engine.url, `/media/thumb/${id}`, engine.key)
    expect(thumb.headers['content-type']).toBe('image/webp')
    expect(await sharp(thumb.body).metadata()).toMatchObject({ width: 256, height: 171 })
    expect((await ask(engine.url, `/media/thumb/${id}`, { ...engine.key, 'if-none-match': String(thumb.headers['etag']) })).status).toBe(304)
    const cached = (await readdir(engine.context.project.cacheDir, { recursive: true })).filter((name) => name.includes(id))
    expect(cached).toHaveLength(1)
    expect((await ask(engine.url, `/media/thumb/${id}`, engine.key)).body.equals(thumb.body)).toBe(true)
  })

  test('in tiles by id, level and place: cut once, nothing beside the image, nothing by path', async () => {
    const engine = await withPage()
    const folder = join(await temporaryFolder(), 'data')
    await importInto(engine, await writeDataset(folder, annotationsOf(1, 1), { width: 1300, height: 700 }))
    const { id } = engine.context.db.get<{ id: string }>('SELECT id FROM images')!
    const tile = (path: string, headers = {}) => ask(engine.url, `/media/tile/${id}/${path}`, { ...engine.key, ...headers })
    const sizes: unknown[] = []
    for (const path of ['0/0/0', '1/1/0', '2/0/0', '2/2/1']) {
      const answer = await tile(path)
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'image/jpeg'])
      const { width, height } = await sharp(answer.body).metadata()
      sizes.push([path, width, height])
    }
    expect(sizes).toEqual([['0/0/0', 325, 175], ['1/1/0', 138, 350], ['2/0/0', 512, 512], ['2/2/1', 276, 188]])
    for (const path of ['3/0/0', '2/3/0', '2/0/2', '0/1/0', '99/0/0', '-1/0/0', '2/0/0.5', '2/0', '2/0/0/0', '2/../../0', '2/%2e%2e/0', '2/1e0/0', '2/99999/99999']) expect([path, (await tile(path)).status]).toEqual([path, 404])
    expect((await ask(engine.url, '/media/tile/nobody/0/0/0', engine.key)).status).toBe(404)
    const { etag } = (await tile('2/0/0')).headers
    expect((await tile('2/0/0', { 'if-none-match': String(etag) })).status).toBe(304)
    expect((await readdir(join(engine.context.project.cacheDir, 'tiles', id.slice(-2))))).toEqual([id])
    await rm(join(folder, '0.png'))
    expect((await tile('2/0/0')).status).toBe(404)
  })

  test('that lie on their side in the file are upright: thumbnail and what the page gets for a format browsers do not show', async () => {
    const engine = await withPage()
    const folder = join(await temporaryFolder(), 'data')
    await mkdir(folder)
    const half = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'black' } }).composite([{ input: { create: { width: 15, height: 20, channels: 3, background: 'white' } }, left: 0, top: 0 }]).tiff().toBuffer()
    await sharp(half).withMetadata({ orientation: 6 }).tiff().toFile(join(folder, 'a.tiff'))
    await writeFile(join(folder, 'annotations.json'), JSON.stringify([{ image: 'a.tiff', caption: 'x', bbox: [[1, 1, 9, 9]] }]))
    await importInto(engine, join(folder, 'annotations.json'))
    const { id, width, height } = engine.context.db.get<{ id: string; width: number; height: number }>('SELECT id, width, height FROM images')!
    expect([width, height]).toEqual([20, 30])
    for (const kind of ['image', 'thumb']) {
      const { body, headers } = await ask(engine.url, `/media/${kind}/${id}`, engine.key)
      expect(headers['content-type']).toBe(kind === 'image' ? 'image/png' : 'image/webp')
      const { data, info } = await sharp(body).removeAlpha().raw().toBuffer({ resolveWithObject: true })
      expect([info.width, info.height]).toEqual([20, 30])
      expect(data[(3 * 20 + 10) * 3]).toBeGreaterThan(200) // turned by 90 degrees: the white left half is now on top
      expect(data[(26 * 20 + 10) * 3]).toBeLessThan(60)
    }
  })

  test.each(['png', 'webp', 'jpeg'] as const)('a %s that lies on its side is upright in every browser', async (format) => {
    const engine = await withPage()
    const folder = join(await temporaryFolder(), 'data')
    await mkdir(folder)
    const half = await sharp({ create: { width: 48, height: 32, channels: 3, background: 'black' } }).composite([{ input: { create: { width: 24, height: 32, channels: 3, background: 'white' } }, left: 0, top: 0 }]).png().toBuffer()
    await sharp(half).withMetadata({ orientation: 6 })[format]().toFile(join(folder, `a.${format}`))
    await writeFile(join(folder, 'annotations.json'), JSON.stringify([{ image: `a.${format}`, caption: 'x', bbox: [[1, 1, 9, 9]] }]))
    await importInto(engine, join(folder, 'annotations.json'))
    const { id, ...stored } = engine.context.db.get<{ id: string; width: number; height: number; orientation: number }>('SELECT id, width, height, orientation FROM images')!
    expect(stored).toEqual({ width: 32, height: 48, orientation: 6 })
    const { body, headers } = await ask(engine.url, `/media/image/${id}`, engine.key)
    const { orientation, width, height } = await sharp(body).metadata()
    // A JPEG goes out as it is, because every browser turns it; the others are turned already and say nothing of turning.
    if (format === 'jpeg') expect([headers['content-type'], orientation, width, height]).toEqual(['image/jpeg', 6, 48, 32])
    else expect([headers['content-type'], orientation ?? 1, width, height]).toEqual(['image/png', 1, 32, 48])
    const { data } = await sharp(body).autoOrient().removeAlpha().raw().toBuffer({ resolveWithObject: true })
    expect(data[(4 * 32 + 16) * 3]).toBeGreaterThan(200)
    expect(data[(44 * 32 + 16) * 3]).toBeLessThan(60)
  })

  test('whose file is gone, was replaced by something else, or never was: plain words, and no path of this machine', async () => {
    const engine = await withPage()
    const folder = join(await temporaryFolder(), 'data')
    await importInto(engine, await writeDataset(folder, annotationsOf(1, 1)))
    const { id } = engine.context.db.get<{ id: string }>('SELECT id FROM images')!
    await writeFile(join(folder, '0.png'), 'this is no picture')
    const broken = await ask(engine.url, `/media/thumb/${id}`, engine.key)
    expect(broken.status).toBe(422)
    await import('node:fs/promises').then(({ rm }) => rm(join(folder, '0.png')))
    for (const path of [`/media/image/${id}`, `/media/thumb/${id}`, '/media/image/unknown']) {
      const answer = await ask(engine.url, path, engine.key)
      expect(answer.status).toBe(404)
      const said = JSON.parse(answer.body.toString()) as { code: string; message: string; cure: string }
      expect(said).toMatchObject({ code: 'not-found' })
      expect(answer.body.toString()).not.toContain(folder)
    }
  })

  test.each(['/media/image/..%2f..%2fetc%2fpasswd', '/media/image/../../etc/passwd', '/media/image//etc/passwd', "/media/image/x'%20OR%201=1", '/media/image/', '/media/other/x'])('%s is no id', async (path) => {
    const { url, key } = await withPage()
    expect((await ask(url, path, key)).status).toBe(404)
  })
})

describe('an address that is none', () => {
  test.each(['//', '//:', 'http://[', '/\\\\', '*', '/%', '//a:b@c:d/rpc'])('%s, asked for as a page and as a connection, with the key and without: is answered, and the engine lives on', async (target) => {
    const { url, key, token } = await withPage()
    const { port, host } = new URL(url)
    const raw = (lines: readonly string[]): Promise<string> =>
      new Promise((resolve) => {
        let text = ''
        const socket = connectTcp(Number(port), '127.0.0.1', () => socket.write(`${[`GET ${target} HTTP/1.1`, ...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`))
        socket.on('data', (part) => (text += String(part))).on('close', () => resolve(text.split('\r\n')[0]!)).on('error', () => undefined)
      })
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==']
    const stranger = [`Host: ${host}`, 'Origin: http://evil.example']
    expect(await raw([...stranger, ...upgrade])).toMatch(/^HTTP\/1\.1 (400|403) /)
    expect(await raw(stranger)).toMatch(/^HTTP\/1\.1 (400|403) /)
    expect(await raw([`Host: ${host}`, `Authorization: Bearer ${token}`, ...upgrade])).toMatch(/^HTTP\/1\.1 40[04] /)
    expect(await raw([`Host: ${host}`, `Authorization: Bearer ${token}`])).toMatch(/^HTTP\/1\.1 40[04] /)
    expect((await ask(url, '/health', key)).status).toBe(200)
  })
})

test('a page that closes in the middle of an answer is no fault, and is not told as one', async () => {
  const pageDir = join(await temporaryFolder(), 'page')
  await mkdir(pageDir)
  await writeFile(join(pageDir, 'large.js'), Buffer.alloc(30_000_000, 'x'))
  const engine = await serveTestEngine({ pageDir })
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const { port, host } = new URL(engine.url)
  for (let round = 0; round < 30; round++) {
    await new Promise<void>((resolve) => {
      const socket = connectTcp(Number(port), '127.0.0.1', () => {
        socket.write(`GET /large.js HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${engine.token}\r\n\r\n`)
        // At another moment each time: before the answer, at its head, in its middle.
        if (round % 3 === 0) socket.destroy()
        else if (round % 3 === 1) setTimeout(() => socket.destroy(), round % 5)
      })
      socket.once('data', () => round % 3 === 2 && socket.destroy())
      socket.on('close', () => resolve()).on('error', () => undefined)
    })
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(told.mock.calls).toEqual([])
  expect((await ask(engine.url, '/health', { authorization: `Bearer ${engine.token}` })).status).toBe(200)
})

test('the check computes a heatmap of a project that was opened before: jobs of an earlier start are not waited for', async () => {
  const projectDir = join(await temporaryFolder(), 'project')
  const first = await serveTestEngine({ projectDir })
  await importInto(first, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(2, 2)))
  const key = (engine: { token: string }) => ({ authorization: `Bearer ${engine.token}` })
  await first.close()
  const second = await serveTestEngine({ projectDir })
  expect((await second.handlers.jobs.list({})).map((job) => [job.kind, job.state])).toEqual([['import', 'done']])
  const answer = await ask(second.url, '/api/check', key(second))
  expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([200, { backend: expect.objectContaining({ library: 'arithmetic' }), heatmapMs: 1 }])
  expect(second.compute.explained).toHaveLength(2) // twice, so that reading the weights is not measured
})

describe('starting', () => {
  test('on a port in use says so in words, and frees the project', async () => {
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const projectDir = await temporaryFolder()
    await expect(createEngine({ projectDir, port, compute: fakeCompute })).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining(String(port)) })
    taken.close()
    expect((await serveTestEngine({ projectDir })).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/)
  })

  test('without a built page says what to run', async () => {
    const engine = await serveTestEngine({ pageDir: join(await temporaryFolder(), 'none') })
    const answer = await ask(engine.url, '/', { authorization: `Bearer ${engine.token}` })
    expect(answer.status).toBe(503)
    expect(answer.body.toString()).toContain('npm run build')
  })
})

describe('calls over the WebSocket', () => {
  test('give data, events, and failures as a code, a sentence and a cure', async () => {
    const engine = await serveTestEngine()
    const { api, close } = await connect(engine)
    const events = await api.system.events({})
    await expect(api.regions.history({ id: 'nowhere' })).rejects.toMatchObject({ code: 'APP', defined: true, data: { code: 'not-found', message: expect.stringMatching(/\.$/), cure: expect.any(String) } })
    await expect(api.regions.query({ filter: { datasetId: 'x', hit: true }, sort: 'phrase', descending: false, offset: 0, limit: 5 })).rejects.toMatchObject({ data: { code: 'usage' } })
    await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(2, 2)))
    const types = new Set<string>()
    for await (const event of events) {
      types.add(event.type)
      if (event.type === 'datasets.changed') break
    }
    expect([...types]).toEqual(expect.arrayContaining(['job.progressed', 'datasets.changed']))
    expect(await api.datasets.list({})).toMatchObject([{ images: 2, regions: 4, reviewed: 0 }])
    close()
  })

  test('with values the contract does not allow are refused before they reach anything', async () => {
    const { api, close } = await connect(await serveTestEngine())
    await expect(api.regions.query({ filter: { datasetId: 'x' }, sort: 'phrase; DROP TABLE regions' as never, descending: false, offset: 0, limit: 5 })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(api.regions.apply({ editId: 'e', label: 'l', edits: [{ regionId: 'r', revision: 1, diff: { boxes: { before: [], after: [[0, 0, Infinity, 1]] } } }] })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    close()
  })
})
