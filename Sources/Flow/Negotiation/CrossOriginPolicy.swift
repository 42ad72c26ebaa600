/// Which pages of other origins may send requests and read the responses (the Fetch standard, section 3.3).
package struct CrossOriginPolicy: Equatable, Sendable {
    /// Field names and their values.
    package typealias Fields = [(String, String)]

    /// Serialised origins in lower case.
    package var origins: [String] = []
    /// Whether every origin may.
    package var allowsAnyOrigin = false
    /// Whether a page may send cookies and other credentials; not with ``allowsAnyOrigin``.
    package var allowsCredentials = false
    /// Request fields in addition to ``requestFields``, and response fields in addition to ``responseFields``.
    package var headers: [String] = [], exposed: [String] = []
    /// The time for which a browser keeps the result of a preflight.
    package var maximumAge = Duration.seconds(600)

    package init() {}

    /// The request fields of streams, and those that their clients usually need.
    package static let requestFields = [
        "Accept", "Authorization", "Content-Type", "Last-Event-ID", "Prefer", "X-Stream-Buffer-Size",
        "X-Stream-Rate-Limit", "X-Stream-Resume",
    ]
    /// The response fields of streams and of refusals.
    package static let responseFields = [
        "Location", "Preference-Applied", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Stream-Buffer-Size",
        "X-Stream-Id", "X-Stream-Rate", "X-Stream-Total-Items",
    ]

    /// The policy of addresses that several routes share: a page may use them if it may use one of the routes.
    package static func union(_ policies: [CrossOriginPolicy]) -> CrossOriginPolicy? {
        guard var union = policies.first else { return nil }
        for policy in policies.dropFirst() {
            union.origins += policy.origins.filter { !union.origins.contains($0) }
            union.allowsAnyOrigin = union.allowsAnyOrigin || policy.allowsAnyOrigin
            union.allowsCredentials = union.allowsCredentials || policy.allowsCredentials
            union.headers += policy.headers.filter { !union.headers.contains($0) }
            union.exposed += policy.exposed.filter { !union.exposed.contains($0) }
            union.maximumAge = min(union.maximumAge, policy.maximumAge)
        }
        if union.allowsAnyOrigin { union.allowsCredentials = false }
        return union
    }

    /// The fields of a response to a request with this `Origin`; `nil` if it has none.
    package func fields(for origin: String?) -> Fields {
        let granted = grant(to: origin)
        guard !granted.isEmpty else { return varied }
        let readable = (Self.responseFields + exposed).joined(separator: ", ")
        let fields: Fields = granted + [("Access-Control-Expose-Headers", readable)]
        return fields + varied
    }

    /// The fields of the response to a preflight, without any grant if the origin is not allowed.
    ///
    /// - Parameters:
    ///   - origin: The request's `Origin`.
    ///   - method: The method that the page wants to use, which the route serves.
    /// - Returns: The fields.
    package func preflight(for origin: String, method: String) -> Fields {
        let granted = grant(to: origin)
        guard !granted.isEmpty else { return varied }
        let details: Fields = [
            ("Access-Control-Allow-Methods", method),
            ("Access-Control-Allow-Headers", (Self.requestFields + headers).joined(separator: ", ")),
            ("Access-Control-Max-Age", String(maximumAge.components.seconds)),
        ]
        return granted + details + varied
    }

    private func grant(to origin: String?) -> Fields {
        guard let origin else { return [] }
        if allowsAnyOrigin { return [("Access-Control-Allow-Origin", "*")] }
        guard origins.contains(origin.lowercased()) else { return [] }
        let grant: Fields = [("Access-Control-Allow-Origin", origin)]
        return allowsCredentials ? grant + [("Access-Control-Allow-Credentials", "true")] : grant
    }

    /// Caches must keep the responses for different origins apart.
    private var varied: Fields { allowsAnyOrigin ? [] : [("Vary", "Origin")] }
}
