/// How a route tells streams and their records apart from other responses.
package enum Framing: String, Equatable, Sendable, CaseIterable {
    /// By the response's Content-Type.
    case auto
    case ndjson
    case sse
    case jsonSequence = "json-seq"
    /// Never a stream: every response passes unmetered.
    case none
}
