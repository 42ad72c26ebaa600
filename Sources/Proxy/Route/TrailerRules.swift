import Flow
import NIOHTTP1
import Settings

/// Which trailers of a route's messages are forwarded.
///
/// The fields that the route reads, removes or sets belong to the head. A server that merges trailers with it would take
/// those of a client for weir's own, or for those of a trusted proxy.
struct TrailerRules: Sendable {
    /// The names that are not forwarded, in lower case.
    private let request, response: Set<String>

    init(_ settings: Route) {
        var names = settings.headers.request.names
        if case .header(let name)? = settings.clientTier { names.insert(name.lowercased()) }
        if case .header(let name) = settings.clientKey { names.insert(name.lowercased()) }
        names.formUnion(settings.match.headers.map { $0.name.lowercased() })
        (request, response) = (names, settings.headers.response.names)
    }

    /// The trailers of a response that the client gets.
    func ofResponse(_ trailers: HTTPHeaders) -> HTTPHeaders { Self.filter(trailers.passedOnAsTrailers(), response) }

    /// The trailers of a request that the upstream gets.
    func ofRequest(_ trailers: HTTPHeaders) -> HTTPHeaders {
        Self.filter(trailers.passedOnAsRequestTrailers(), request)
    }

    /// The names that a request's `Trailer` announces and that ``ofRequest(_:)`` does not remove.
    func announced(by head: HTTPHeaders) -> [Substring] {
        head.announcedTrailers.filter { !request.contains($0.lowercased()) }
    }

    private static func filter(_ trailers: HTTPHeaders, _ names: Set<String>) -> HTTPHeaders {
        guard !trailers.isEmpty, !names.isEmpty else { return trailers }
        return HTTPHeaders(trailers.filter { !names.contains($0.name.lowercased()) })
    }
}
