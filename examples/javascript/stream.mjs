// Writes each record of a stream to standard output: node stream.mjs URL. The exit status is 0 only if all arrived.
// follow() works in browsers as well: fetch reports a truncated response as an error.
const sleep = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000))

async function* lines(body) {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    const whole = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = whole.pop()
    yield* whole
  }
  if (rest) yield rest // after a complete response
}

/** Calls `process` with each record, once and in order, over as many connections as it takes. */
export async function follow(url, process, log = console.error) {
  let stream = null, received = 0
  for (let retries = 0; retries <= 10; retries++) { // without a new record in between
    const headers = { 'X-Stream-Rate-Limit': '50/second' }
    if (stream) headers['X-Stream-Resume'] = `${stream}; after=${received}`
    try {
      const response = await fetch(url, { headers })
      if (response.status === 429 || response.status === 503) {
        await response.text()
        const seconds = Number(response.headers.get('Retry-After') ?? 1)
        log(`stream: ${response.status}, next attempt in ${seconds} s`)
        await sleep(seconds) // an earlier attempt would be rejected as well
        continue
      }
      if (response.status !== 200) throw new Error(`status ${response.status}, truncated after ${received} records`)
      const isNew = !stream
      stream = response.headers.get('X-Stream-Id')
      for await (const line of lines(response.body)) {
        if (!line) continue // a heartbeat is no record
        await process(line)
        retries = 0
        if (++received === 1 && isNew && stream) { // weir then sends at most one record in this time
          const feedback = new URL(`/v1/streams/${stream}/feedback`, url)
          await (await fetch(feedback, { method: 'POST', body: '{"processingDelay":"5ms"}' })).text()
        }
      }
      return received
    } catch (error) {
      if (!(error instanceof TypeError)) throw error // fetch reports a lost connection as a TypeError
      log(`stream: ${error.message} after ${received} records`)
      if (received && !stream) throw new Error(`truncated after ${received} records`)
      await sleep(0.1)
    }
  }
  throw new Error(`gave up after ${received} records`)
}

if (globalThis.process?.argv[2]) {
  const total = await follow(process.argv[2], record => console.log(record))
    .catch(error => { console.error(`stream: ${error.message}`); process.exit(1) })
  console.error(`stream: complete, ${total} records`)
}
