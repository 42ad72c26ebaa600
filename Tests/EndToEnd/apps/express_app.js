// The same orders API as fastapi_app.py, as Express's documentation would write it: response.write() and 'drain'.
'use strict'
const express = require('express')
const { createHash } = require('node:crypto')
const { once } = require('node:events')
const { setImmediate: turn, setTimeout: wait } = require('node:timers/promises')

const app = express()
const NDJSON = 'application/x-ndjson'
const made = new Map() // records, by the tag of the request that asked for them
const ended = new Map() // streams that are over
const begun = new Map() // generators
const count = (counter, tag) => counter.set(tag, (counter.get(tag) ?? 0) + 1)
const order = (number) =>
  JSON.stringify({ orderId: number, status: 'shipped', customer: `Zoë ${number}`, total: number * 3 }) + '\n'

/** Writes one line and honours back-pressure; false once the reader has left. */
async function write(res, line) {
  if (res.destroyed) return false
  if (!res.write(line)) await Promise.race([once(res, 'drain'), once(res, 'close')])
  return !res.destroyed
}

app.get('/v1/orders/stream', async (req, res) => {
  const items = Number(req.query.items ?? 10000)
  res.set({ 'Content-Type': NDJSON, 'X-Stream-Total-Items': String(items) })
  for (let number = 1; number <= items; number++) {
    if (!(await write(res, order(number)))) return
  }
  res.end()
})

// What came of a body, read as it comes.
app.all('/v1/digest', async (req, res) => {
  const found = createHash('sha256')
  let length = 0
  for await (const part of req) {
    found.update(part)
    length += part.length
  }
  res.json({
    method: req.method, sha256: found.digest('hex'), length,
    declared: req.get('content-length') ?? null, coding: req.get('transfer-encoding') ?? null,
  })
})

// Reports in its trailers the trailers of the request.
app.post('/v1/trailers', async (req, res) => {
  const found = createHash('sha256')
  for await (const part of req) found.update(part)
  res.set({ Trailer: 'X-Digest, X-Noted', 'Content-Type': 'text/plain' })
  res.write(`announced ${req.get('trailer')}, asked for ${req.get('te')}\n`)
  res.addTrailers({ 'X-Digest': found.digest('hex'), 'X-Noted': JSON.stringify(req.trailers) })
  res.end()
})

// As in many tutorials: it does not wait for 'drain', and what is not taken accumulates in Node.
app.get('/v1/orders/flood', (req, res) => {
  res.set('Content-Type', NDJSON)
  for (let number = 1; number <= Number(req.query.items); number++) res.write(order(number))
  res.end()
})

// Server-sent events; with `after`, the connection is closed after that number of events.
app.get('/v1/orders/events', async (req, res) => {
  const first = Number(req.get('last-event-id') ?? 0) + 1
  const after = Number(req.query.after ?? Infinity)
  res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
  await write(res, 'retry: 250\n\n')
  for (let number = first; number <= Number(req.query.items ?? 10000); number++) {
    if (number === first + after) {
      await wait(100) // what was written leaves; then the database goes away
      return res.destroy(new Error('the database has gone away'))
    }
    const block = `: order ${number}\nid: ${number}\nevent: order\ndata: ${order(number).trim()}\n\n`
    if (!(await write(res, block))) return
  }
  res.end()
})

app.get('/v1/orders/sequence', async (req, res) => {
  res.set('Content-Type', 'application/json-seq')
  for (let number = 1; number <= Number(req.query.items ?? 10000); number++) {
    const text = JSON.stringify(JSON.parse(order(number)), null, 2)
    if (!(await write(res, `\x1e${text}\n`))) return
  }
  res.end()
})

app.get('/v1/orders/:number', (req, res) => {
  res.json({ orderId: Number(req.params.number), status: 'shipped' })
})

app.get('/v1/firehose', async (req, res) => {
  const tag = req.query.tag
  res.set('Content-Type', NDJSON)
  let number = 0
  count(begun, tag)
  do {
    number++
    count(made, tag)
    if (number % 16 === 0) await turn() // without it no other request is served while the reader is fast
  } while (await write(res, JSON.stringify({ orderId: number, note: 'x'.repeat(200) }) + '\n'))
  count(ended, tag)
})

app.get('/v1/breaks-off', async (req, res) => {
  res.set('Content-Type', NDJSON)
  for (let number = 1; number <= Number(req.query.after); number++) await write(res, order(number))
  await wait(100) // what was written leaves; then the database goes away
  res.destroy(new Error('the database has gone away'))
})

app.get('/v1/slow', async (req, res) => {
  await wait(Number(req.query.seconds) * 1000)
  res.json({ waited: Number(req.query.seconds) })
})

app.get('/v1/nothing', (req, res) => res.status(204).end())

app.get('/v1/cached', (req, res) => res.json({ cached: true })) // Express makes the ETag and answers 304 by itself

app.get('/v1/large', (req, res) => {
  res.type('application/octet-stream').send(Buffer.alloc(Number(req.query.size), 'y'))
})

app.all('/v1/echo', (req, res) => {
  const headers = []
  for (let at = 0; at < req.rawHeaders.length; at += 2) headers.push([req.rawHeaders[at], req.rawHeaders[at + 1]])
  const [path, query = ''] = req.originalUrl.split('?')
  res.json({ method: req.method, path, query, headers })
})

app.get('/stats', (req, res) => {
  const tag = req.query.tag
  res.json({ made: made.get(tag) ?? 0, begun: begun.get(tag) ?? 0, ended: ended.get(tag) ?? 0 })
})

const server = app.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}`))
