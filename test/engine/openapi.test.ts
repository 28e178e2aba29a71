/** The engine for other programs: its document, the same checks as everywhere, and the Python example as it is. */
import { execFile, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { contract } from '../../src/shared/contract/contract.ts'
import { annotationsOf, arithmeticProcess, importInto, serveTestEngine, temporaryFolder, writeDataset } from '../support/engine.ts'

const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)
const procedures = Object.entries(contract).flatMap(([feature, list]) => Object.keys(list).map((name) => `/${feature}/${name}`))

describe('the OpenAPI side', () => {
  test('names every procedure of the contract with its schemas, and no other', async () => {
    const engine = await serveTestEngine()
    const answer = await fetch(`${engine.url}openapi.json`, { headers: { authorization: `Bearer ${engine.token}` } })
    expect(answer.status).toBe(200)
    const document = (await answer.json()) as { openapi: string; servers: { url: string }[]; paths: Record<string, { post: { requestBody?: { content: Record<string, { schema: { properties?: object } }> }; responses: Record<string, unknown> } }>; security: unknown }
    expect(document.openapi).toMatch(/^3\.1/)
    expect(document.servers).toEqual([{ url: `${engine.url}api/v1` }])
    expect(Object.keys(document.paths).sort()).toEqual([...procedures].sort())
    expect(document.security).toEqual([{ key: [] }])
    const start = document.paths['/runs/start']!.post
    expect(Object.keys(start.requestBody!.content['application/json']!.schema.properties!)).toEqual(expect.arrayContaining(['preset', 'overrides', 'datasetId']))
    expect(Object.keys(start.responses)).toEqual(expect.arrayContaining(['200', '422']))
  })

  test('answers only who has the key, from no other site, and says what went wrong', async () => {
    const engine = await serveTestEngine()
    const call = (path: string, body: string, headers: Record<string, string> = {}) => fetch(`${engine.url}api/v1${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
    const key = { authorization: `Bearer ${engine.token}` }
    expect((await fetch(`${engine.url}openapi.json`)).status).toBe(401)
    expect((await call('/datasets/list', '{}')).status).toBe(401)
    expect((await call('/datasets/list', '{}', { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await call('/datasets/list', '{}', { ...key, origin: 'http://elsewhere.example' })).status).toBe(403)
    const good = await call('/datasets/list', '{}', key)
    expect([good.status, await good.json()]).toEqual([200, []])
    const failed = await call('/runs/get', '{"id":"nothing"}', key)
    expect([failed.status, await failed.json()]).toMatchObject([422, { code: 'APP', defined: true, data: { code: 'not-found', cure: expect.any(String) } }])
    expect((await call('/runs/get', '{"id":3}', key)).status).toBe(400)
    expect((await call('/runs/get', '{', key)).status).toBe(400)
    expect((await call('/runs/unknown', '{}', key)).status).toBe(404)
    expect((await call('/datasets/list', JSON.stringify({ filler: 'x'.repeat(17 * 1024 * 1024) }), key)).status).toBe(413)
    expect((await fetch(engine.url, { method: 'POST', headers: key })).status).toBe(405)
  })

  test.skipIf(!python)(`the Python example starts a run and reads its results${python ? '' : ' (skipped: there is no Python here)'}`, async () => {
    const engine = await serveTestEngine({ compute: arithmeticProcess })
    await importInto(engine, await writeDataset(join(await temporaryFolder(), 'data'), annotationsOf(8, 2)), { name: 'things' })
    const example = resolve(import.meta.dirname, '../../docs/examples/start_run.py')
    const run = (...more: string[]) => promisify(execFile)(python!, [example, '--url', engine.url, '--token', engine.token, '--every', '0.2', ...more])
    const { stdout } = await run('--dataset', 'things', '--preset', 'demo-amc', '--name', 'from Python', '--set', 'batch.images=2', '--set', 'steps=3')
    const said = JSON.parse(stdout) as { run: Record<string, unknown>; last: { step: number; values: Record<string, number> } }
    expect(said.run).toMatchObject({ name: 'from Python', state: 'finished', step: 3, totalSteps: 3 })
    expect(said.last.step).toBe(3)
    const [stored] = await engine.handlers.runs.list({})
    expect(stored).toMatchObject({ id: said.run['id'], config: { steps: 3, 'batch.images': 2 } })
    // From its checkpoint on, after a correction: told, trained, compared.
    const { id, image_id: imageId, phrase } = engine.context.db.get<{ id: string; image_id: string; phrase: string }>("SELECT id, image_id, phrase FROM regions WHERE split = 'train' ORDER BY position")!
    const region = (await engine.handlers.regions.onImage({ imageId, checkpointIds: [] })).regions.find((one) => one.id === id)!
    await engine.handlers.regions.apply({ editId: 'one', label: 'edit', edits: [{ regionId: id, revision: region.revision, diff: { phrase: { before: phrase, after: 'what it is' } } }] })
    const checkpoint = (await engine.handlers.checkpoints.list({})).find((one) => one.runId === stored!.id)!
    const again = await run('--dataset', 'things', '--preset', 'demo-amc', '--start', checkpoint.name, '--set', 'batch.images=2', '--set', 'steps=2', '--set', 'validation.every=1', '--set', 'save.every=1')
    expect(again.stderr).toContain('1 corrections since, 1 of them seen by no run yet')
    expect(JSON.parse(again.stdout)).toMatchObject({ run: { state: 'finished', step: 2 }, comparison: { split: 'val', regions: 4, headline: { pointingGame: { change: 0, regions: 4 } } } })
    await expect(run('--dataset', 'nothing')).rejects.toThrow(/no one dataset called nothing; there are: things/)
    await expect(run('--dataset', 'things', '--set', 'steps=none')).rejects.toThrow(/steps/)
  }, 180_000)
})
