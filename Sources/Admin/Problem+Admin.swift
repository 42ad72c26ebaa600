import Flow

// The problems of the admin listener.

extension Problem {
    static let adminTokenMissing = Problem(.unauthorized, status: 401, detail: "The admin listener requires its token")
    static let adminTokenWrong = Problem(.unauthorized, status: 401, detail: "This is not the admin listener's token")
    static let adminTokenNeeded = Problem(
        .forbidden, status: 403, detail: "Without an admin_token the admin listener is read-only")

    static let adminByName = Problem(
        .forbidden, status: 403, detail: "Without an admin_token, Host must be an address or localhost")
    static let adminCrossOrigin = Problem(
        .forbidden, status: 403, detail: "The admin listener rejects requests for web pages of other origins")

    static func tooManyFollowers(ofAddress limit: Int) -> Problem {
        Problem(
            .tooManyStreams, status: 429, detail: "The limit of \(limit) followers at one address is reached",
            retryAfter: .seconds(1))
    }

    static func tooManyFollowers(limit: Int) -> Problem {
        Problem(
            .unavailable, status: 503, detail: "The limit of \(limit) followers is reached", retryAfter: .seconds(1))
    }

    static let noSuchBreaker = Problem(.notFound, status: 404, detail: "No open or half-open breaker has this name")

    static let noSuchUpstream = Problem(.notFound, status: 404, detail: "No route has this upstream")
    static let clientMissing = Problem.invalidRequest("The query must name a client: ?client=192.0.2.1")

    /// The `WWW-Authenticate` of a 401 (RFC 6750, section 3); `nil` for other problems.
    var challenge: String? {
        guard kind == .unauthorized else { return nil }
        return self == .adminTokenWrong ? "Bearer realm=\"weir\", error=\"invalid_token\"" : "Bearer realm=\"weir\""
    }
}
