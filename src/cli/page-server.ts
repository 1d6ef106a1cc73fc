/** A server of the files of one folder, and of no others. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.yaml': 'text/plain; charset=utf-8',
}

/** Names with a hash in them never change what they hold. */
const HASHED = /-[\w-]{8}\.\w+$/

export function pageServer(folder: string): Server {
  return createServer(({ method, url = '/' }, response) => {
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405)
    void serve(folder, url, method === 'HEAD', response)
  })
}

async function serve(folder: string, url: string, head: boolean, response: ServerResponse): Promise<void> {
  try {
    const { pathname } = new URL(url, 'http://page')
    const path = normalize(join(folder, decodeURIComponent(pathname)))
    if (path !== folder && !path.startsWith(folder + sep)) return refuse(response, 404)
    const found = pathname.endsWith('/') ? join(path, 'index.html') : path
    const { size } = await file(found)
    response.writeHead(200, {
      'content-type': TYPES[extname(found)] ?? 'application/octet-stream',
      'content-length': size,
      'cache-control': HASHED.test(found) ? 'public, max-age=31536000, immutable' : 'no-cache',
      'x-content-type-options': 'nosniff',
    })
    if (head) response.end()
    else
      createReadStream(found)
        .on('error', () => response.destroy())
        .pipe(response)
  } catch {
    // No such file, or a path that is none.
    refuse(response, 404)
  }
}

async function file(path: string) {
  const found = await stat(path)
  if (!found.isFile()) throw new Error(`${path} is no file`)
  return found
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/plain' }).end(status === 404 ? 'not found\n' : 'only GET\n')
}
