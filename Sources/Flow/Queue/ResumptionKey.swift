import HTTPText

/// What a request must have in common with that of a detached stream to get the rest of it by `Last-Event-ID`.
///
/// The id of an event can be guessed, and an address can belong to several users. So the request itself must prove that it
/// comes from the same client: by credentials, which are a part of this value. A client without them sends
/// `X-Stream-Resume`, whose stream id cannot be guessed.
package struct ResumptionKey: Hashable, Sendable {
    /// Fields by which a server may select what it sends, and those of weir's own terms.
    private static let compared = [
        "accept", "accept-encoding", "accept-language", "authorization", "cookie", "origin", "prefer", "range",
        "x-stream-buffer-size", "x-stream-rate-limit",
    ]

    private let route: String
    private let client: ClientKey
    private let isSecure: Bool
    /// The authority as the client sent it; `nil` if it sent none.
    private let authority: String?
    /// The request target as the client sent it, not normalised.
    private let target: String
    /// The lines of each compared field.
    private let fields: [[String]]

    /// A request as far as it decides about a resumption.
    package struct Request {
        package var route: String
        /// The key of its client for the route's limits.
        package var client: ClientKey
        /// Whether that key is a credential: the header that the route names, or a certificate, and not an address.
        package var isClientProved: Bool
        package var isSecure: Bool
        package var authority: String?
        package var target: String

        package init(
            route: String, client: ClientKey, isClientProved: Bool, isSecure: Bool, authority: String?, target: String
        ) {
            (self.route, self.client, self.isClientProved) = (route, client, isClientProved)
            (self.isSecure, self.authority, self.target) = (isSecure, authority, target)
        }
    }

    /// The key of a GET without content; `nil` if it has no credentials.
    ///
    /// - Parameters:
    ///   - request: Its head.
    ///   - lines: The field lines of a name in lower case, in their order.
    package init?(of request: Request, lines: (String) -> [String]) {
        guard request.isClientProved || lines("authorization").contains(where: { !$0.isEmpty }) else { return nil }
        (route, client, isSecure) = (request.route, request.client, request.isSecure)
        (authority, target) = (request.authority, request.target)
        fields = Self.compared.map(lines)
    }

    /// Whether the responses to all requests of one key are the same as far as `Vary` says.
    package static func covers(vary names: [Substring]) -> Bool {
        names.allSatisfy { compared.contains($0.trimmingOptionalWhitespace.lowercased()) }
    }
}
