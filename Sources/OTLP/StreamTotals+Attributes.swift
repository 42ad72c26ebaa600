import Flow
import Observability

extension StreamTotals {
    /// The attributes of a request that has ended: those of the semantic conventions, then weir's own.
    func attributes(_ end: StreamEnd) -> [Attribute] {
        var attributes: [Attribute] = []
        if let status { attributes.append(Attribute("http.response.status_code", status)) }
        attributes.append(Attribute("http.response.body.size", bytes.bytes))
        attributes.append(Attribute("weir.reason", end.outcome.rawValue))
        if let problem = end.problem { attributes.append(Attribute("weir.problem", problem.rawValue)) }
        if let upstream { attributes.append(Attribute("weir.upstream", upstream)) }
        guard let terms else { return attributes }
        attributes.append(Attribute("weir.rate", terms.pace.text))
        attributes.append(Attribute("weir.buffer", terms.buffer))
        attributes.append(Attribute("weir.records", records))
        for (name, count) in [
            ("weir.dropped", dropped), ("weir.pauses", pauses), ("weir.feedbacks", feedbacks),
            ("weir.resumptions", resumptions),
        ] where count > 0 {
            attributes.append(Attribute(name, count))
        }
        if paused > .zero { attributes.append(Attribute("weir.paused", seconds: paused)) }
        return attributes
    }
}

extension StreamEnd {
    /// The value of `error.type`; `nil` if the request did not fail on this side: what the client did is not an error of the
    /// server (semantic conventions for HTTP).
    func errorType(status: Int?) -> String? {
        switch outcome {
        case .upstreamFailed, .upstreamTimeout: upstreamFailure?.cause.rawValue ?? outcome.rawValue
        case .completed, .clientGone, .slowConsumer, .cancelled, .drained, .refused:
            status.flatMap { $0 >= 500 ? String($0) : nil }
        }
    }
}
