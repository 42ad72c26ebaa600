// An orders API on Node's own HTTP/2 servers: without TLS, and where HTTP2_APP holds a certificate and its key in PEM, over
// TLS as well, once with HTTP/2 and once with HTTP/1.1 alone. It reports its counts over HTTP/1.1, at the address that it prints.
'use strict'
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const http = require('node:http')
const http2 = require('node:http2')
const https = require('node:https')
const { setImmediate: turn, setTimeout: wait } = require('node:timers/promises')

const { certificate: cert, key, streams } = JSON.parse(process.env.HTTP2_APP ?? '{}')
const NDJSON = 'application/x-ndjson'
const made = new Map() // records, by the tag of the request that asked for them
const ended = new Map() // streams that are over
const count = (counter, tag) => counter.set(tag, (counter.get(tag) ?? 0) + 1)
const order = (number, note = '') => JSON.stringify({ orderId: number, note }) + '\n'
const json = (res, body) => res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
const live = new Set() // sessions
let sessions = 0

/** Writes one line and honours back-pressure; false once the reader has left. */
async function write(res, line) {
  if (res.destroyed || res.stream?.destroyed) return false
  if (!res.write(line)) await Promise.race([once(res, 'drain'), once(res, 'close')])
  return !(res.destroyed || res.stream?.destroyed)
}

const routes = {
  async '/v1/orders/stream'(req, res, query) {
    const items = Number(query.get('items') ?? 10000)
    res.writeHead(200, { 'content-type': NDJSON, 'x-stream-total-items': String(items) })
    for (let number = 1; number <= items; number++) if (!(await write(res, order(number)))) return
    res.end()
  },
  async '/v1/firehose'(req, res, query) {
    const tag = query.get('tag')
    res.writeHead(200, { 'content-type': NDJSON })
    let number = 0
    do {
      count(made, tag)
      if (++number % 16 === 0) await turn() // without it no other request is served while the reader is fast
    } while (await write(res, order(number, 'x'.repeat(200))))
    count(ended, tag)
  },
  async '/v1/breaks-off'(req, res, query) {
    res.writeHead(200, { 'content-type': NDJSON })
    for (let number = 1; number <= Number(query.get('after')); number++) await write(res, order(number))
    await wait(100) // what was written leaves; then the database goes away
    res.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR)
  },
  async '/v1/digest'(req, res) {
    const found = createHash('sha256')
    let length = 0
    for await (const part of req) {
      found.update(part)
      length += part.length
    }
    json(res, { method: req.method, sha256: found.digest('hex'), length, declared: req.headers['content-length'] ?? null })
  },
  '/v1/trailers'(req, res) {
    res.writeHead(200, { 'content-type': 'text/plain', trailer: 'x-sum' })
    res.write(`asked for ${req.headers.te}\n`)
    res.addTrailers({ 'x-sum': '7' })
    res.end()
  },
  '/v1/hints'(req, res) {
    res.writeEarlyHints({ link: '</style.css>; rel=preload' })
    json(res, { hinted: true })
  },
  '/v1/echo'(req, res, query) {
    json(res, { version: req.httpVersion, method: req.method, path: req.url, authority: req.authority, headers: req.headers })
  },
  '/v1/nothing'(req, res) {
    res.writeHead(204).end()
  },
}

function serve(req, res) {
  const { pathname, searchParams } = new URL(req.url, 'http://app')
  routes[pathname](req, res, searchParams)
}

async function listen(server) {
  server.on('session', (session) => {
    sessions++
    live.add(session)
    session.on('close', () => live.delete(session))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return server.address().port
}

async function main() {
  const settings = streams ? { maxConcurrentStreams: streams } : {}
  const ports = { h2c: await listen(http2.createServer({ settings }, serve)) }
  if (cert) {
    ports.h2 = await listen(http2.createSecureServer({ settings, cert, key }, serve))
    ports.http1 = await listen(https.createServer({ cert, key }, serve))
  }
  const reports = http.createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://app')
    // Sends GOAWAY on all connections; open streams may end.
    if (pathname === '/goodbye') for (const session of live) session.close()
    const tag = searchParams.get('tag')
    json(res, { ports, sessions, live: live.size, made: made.get(tag) ?? 0, ended: ended.get(tag) ?? 0 })
  })
  console.log(`http://127.0.0.1:${await listen(reports)}`)
}

main()
