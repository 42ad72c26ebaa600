package import Flow

/// How a request ended.
package struct StreamEnd: Equatable, Sendable {
    package var outcome: Outcome
    /// The problem that was sent to the client, if any.
    package var problem: Problem.Kind?
    /// Why the upstream's response was rejected or incomplete, as text without anything that the client sent.
    package var upstreamError: String?
    /// Whether the end of the connection marks the end of the body (HTTP/1.0), so that the client cannot detect a
    /// truncated body.
    package var isDelimitedByClose: Bool

    package init(
        _ outcome: Outcome, problem: Problem.Kind? = nil, upstreamError: String? = nil, isDelimitedByClose: Bool = false
    ) {
        self.outcome = outcome
        self.problem = problem
        self.upstreamError = upstreamError
        self.isDelimitedByClose = isDelimitedByClose
    }
}
