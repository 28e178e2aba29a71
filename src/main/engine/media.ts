/**
 * Images by id, never by path. What a browser shows by itself is sent as it is; the rest is decoded. Every browser turns a JPEG as its
 * EXIF orientation says, and so do we; of PNG and WebP some do and some do not, so these are turned here. Thumbnails, and tiles of large images, are made once and kept in the project's cache.
 */
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import { AppError } from '../../shared/errors.ts'
import { isTile, type TileAddress } from '../../shared/tiles.ts'
import { decodeRgb } from '../images/decode.ts'
import { ensureTiles, TILE_TYPE, tilePath, tilesFolder } from '../images/tiles.ts'
import { ensureThumbnail, THUMBNAIL_TYPE, thumbnailPath } from '../images/thumbnail.ts'
import type { EngineContext } from './context.ts'

const SHOWN_AS_IS: Readonly<Record<string, string>> = { '.jpg': 'image/jpeg', '.jpeg': 'image/jpeg', '.png': 'image/png', '.webp': 'image/webp' }
const CACHE = 'private, max-age=3600'

type Context = Pick<EngineContext, 'db' | 'project'>

interface ImageFile {
  readonly path: string
  readonly orientation: number
  readonly width: number
  readonly height: number
}

/** The file behind an id; null when the browser has it already and has been told so. */
async function openImage({ db, project }: Context, request: IncomingMessage, response: ServerResponse, kind: string, id: string): Promise<ImageFile | null> {
  const row = db.get<ImageFile>("SELECT i.path, i.orientation, i.width, i.height FROM images i JOIN datasets d ON d.id = i.dataset_id AND d.state = 'ready' WHERE i.id = ?", id)
  if (!row) throw new AppError('not-found', 'There is no image with this id.', 'Reload the list.', id)
  const path = project.fromStored(row.path)
  const file = await realpath(path).then(async (full) => ({ full, info: await stat(full) }), () => null)
  if (!file?.info.isFile()) throw new AppError('not-found', 'The image file is missing.', 'Put it back where it was imported from.', path)
  const etag = `"${kind}-${file.info.size.toString(36)}-${Math.trunc(file.info.mtimeMs).toString(36)}"`
  response.setHeader('cache-control', CACHE)
  response.setHeader('etag', etag)
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end()
    return null
  }
  return { ...row, path: file.full }
}

/**
 * One tile of a large image; all of them are cut when the first is asked for.
 * @throws AppError 'not-found' for a tile that the image does not have, and as sendMedia does
 */
export async function sendTile(context: Context, request: IncomingMessage, response: ServerResponse, id: string, tile: TileAddress): Promise<void> {
  const file = await openImage(context, request, response, 'tile', id)
  if (!file) return
  if (!isTile(file, tile)) throw new AppError('not-found', 'The image has no such tile.', 'Reload the page.', id)
  const folder = tilesFolder(context.project.cacheDir, id)
  await ensureTiles(file.path, folder, file)
  await sendFile(response, tilePath(folder, tile), TILE_TYPE)
}

/** @throws AppError 'not-found' when the id or the file behind it is not there, 'bad-input' when the file is no image */
export async function sendMedia(context: Context, request: IncomingMessage, response: ServerResponse, kind: 'image' | 'thumb', id: string): Promise<void> {
  const file = await openImage(context, request, response, kind, id)
  if (!file) return
  if (kind === 'thumb') {
    const cached = thumbnailPath(context.project.cacheDir, id)
    const bytes = await ensureThumbnail(file.path, cached)
    return bytes ? sendBytes(response, bytes, THUMBNAIL_TYPE) : sendFile(response, cached, THUMBNAIL_TYPE)
  }
  const type = SHOWN_AS_IS[extname(file.path).toLowerCase()]
  if (type && (type === 'image/jpeg' || file.orientation === 1)) return sendFile(response, file.path, type)
  const { data, width, height } = await decodeRgb(file.path)
  sendBytes(response, await sharp(data, { raw: { width, height, channels: 3 } }).png({ compressionLevel: 3 }).toBuffer(), 'image/png')
}

function sendBytes(response: ServerResponse, bytes: Buffer, type: string): void {
  response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes)
}

async function sendFile(response: ServerResponse, path: string, type: string): Promise<void> {
  const { size } = await stat(path)
  response.writeHead(200, { 'content-type': type, 'content-length': size })
  await pipeline(createReadStream(path), response)
}
