import Flow

extension Problem {
    /// The response to a feedback that is not accepted.
    init(_ error: FeedbackError) {
        let known = FeedbackBody.Member.allCases.map(\.rawValue).joined(separator: ", ")
        switch error {
        case .tooLarge(let limit): self = .bodyTooLarge(limit: limit)
        case .malformed: self = .invalidRequest("The body must be a JSON object in UTF-8")
        case .empty: self = .invalidRequest("The body must have one of the members \(known)")
        case .repeated: self = .invalidRequest("The body must not have a member twice")
        case .unknown(let name?): self = .invalidRequest("The member \(name) is not known; known are \(known)")
        case .unknown(nil): self = .invalidRequest("A member of the body is not known; known are \(known)")
        case .invalid(let member): self = .invalidRequest("\(member.rawValue) \(member.grammar)")
        }
    }
}

extension FeedbackBody.Member {
    /// What completes a sentence that begins with the member's name.
    fileprivate var grammar: String {
        switch self {
        case .processingDelay: "must be a duration from \"0s\" to \"1h\", such as \"250ms\""
        case .rate: "must be a rate such as \"5/second\", or \"unlimited\""
        case .bufferSize: "must be a whole number from 1 to \(Feedback.maximumBuffer)"
        case .pause: "must be true or false"
        case .request: "must be a whole number from 1 to \(Feedback.maximumRequest)"
        }
    }
}
