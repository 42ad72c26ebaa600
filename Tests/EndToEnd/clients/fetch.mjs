// Node's fetch as a client: node fetch.mjs URL '{"header":"value"}'. Prints, as JSON, the status, the headers, every
// line of the body with the milliseconds at which it came, and the error that ended the body, if one did.
const [url, headers] = process.argv.slice(2)
const response = await fetch(url, { headers: JSON.parse(headers ?? '{}') })
const result = { status: response.status, headers: Object.fromEntries(response.headers), lines: [], error: null }
const decoder = new TextDecoder()
let rest = ''
try {
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop()
    for (const text of lines) result.lines.push({ at: performance.now(), text })
  }
} catch (error) {
  result.error = `${error.message}: ${error.cause?.message ?? ''}`
}
if (rest) result.lines.push({ at: performance.now(), text: rest })
console.log(JSON.stringify(result))
