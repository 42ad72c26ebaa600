extension Problem.Kind {
    /// The kind of problem that the log reports of a stream's end: that of `problem`, which the client got or would have got
    /// with notices, else the one that the outcome implies; `nil` if it implies none.
    package init?(of outcome: Outcome, after problem: Problem?) {
        let implied: Problem.Kind? =
            switch outcome {
            case .slowConsumer: .slowConsumer
            case .upstreamFailed: .badUpstream
            case .upstreamTimeout: .upstreamTimeout
            case .completed, .clientGone, .cancelled, .drained, .refused: nil
            }
        guard let kind = problem?.kind ?? implied else { return nil }
        self = kind
    }
}

extension Problem {
    /// The response to a request whose stream ended before its head; `nil` if no response can be given.
    ///
    /// - Parameters:
    ///   - outcome: How it ended.
    ///   - problem: The known cause, which then is the response.
    package init?(refusing outcome: Outcome, because problem: Problem?) {
        switch outcome {
        case .upstreamTimeout: self = problem ?? .upstreamTimeout(.firstByte)
        case .upstreamFailed: self = problem ?? .badUpstream(.reset)
        case .drained, .cancelled: self = problem ?? .unavailable(.draining)
        case .refused: self = problem ?? .malformedRequest
        case .completed, .clientGone, .slowConsumer: return nil
        }
    }

    /// The notice at the end of a stream that is not complete.
    ///
    /// - Parameters:
    ///   - outcome: How it ended.
    ///   - problem: The known cause; `nil` if there is none.
    ///   - retryAfter: When the client may try again.
    package init(endOf outcome: Outcome, because problem: Problem?, retryAfter: Duration) {
        let (kind, status, detail): (Kind, Int, String) =
            switch outcome {
            case _ where problem != nil: (problem?.kind ?? .unavailable, problem?.status ?? 503, problem?.detail ?? "")
            case .slowConsumer: (.slowConsumer, 429, "This client read the stream too slowly")
            case .upstreamFailed:
                (.badUpstream, 502, "The upstream ended the connection before the stream was complete")
            case .upstreamTimeout: (.upstreamTimeout, 504, "The upstream sent nothing more in time")
            case .cancelled: (.gone, 410, "The stream was ended by its client")
            case .drained, .completed, .clientGone, .refused: (.unavailable, 503, "The proxy is stopping")
            }
        self.init(kind, status: status, detail: detail, retryAfter: retryAfter)
    }
}
