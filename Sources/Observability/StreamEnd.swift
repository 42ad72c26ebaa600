package import Flow

/// How a request ended.
package struct StreamEnd: Equatable, Sendable {
    package var outcome: Outcome
    /// The problem that was sent to the client, if any.
    package var problem: Problem.Kind?
    /// Why the upstream's response was rejected or incomplete; `nil` if it was neither.
    package var upstreamFailure: UpstreamFailure?
    /// Whether the end of the connection marks the end of the body (HTTP/1.0), so that the client cannot detect a
    /// truncated body.
    package var isDelimitedByClose: Bool

    package init(
        _ outcome: Outcome, problem: Problem.Kind? = nil, upstreamFailure: UpstreamFailure? = nil,
        isDelimitedByClose: Bool = false
    ) {
        self.outcome = outcome
        self.problem = problem
        self.upstreamFailure = upstreamFailure
        self.isDelimitedByClose = isDelimitedByClose
    }
}
