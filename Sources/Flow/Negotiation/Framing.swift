/// How a route finds the records of a response.
package enum Framing: String, Equatable, Sendable, CaseIterable {
    /// By the response's Content-Type.
    case auto
    case ndjson
    case sse
    case jsonSequence = "json-seq"
    /// No response is a stream: all pass unmetered.
    case none
}
