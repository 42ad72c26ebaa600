import Flow
import HTTPText

/// The addresses under `paths.streams`: `/v1/streams/{id}` and `/v1/streams/{id}/feedback`.
struct StreamsAddress: Sendable {
    enum Target: Equatable, Sendable {
        case stream(StreamId)
        case feedback(StreamId)
        /// Below the path, but not an address of a stream.
        case nothing
    }

    /// Without a slash at its end.
    let path: String

    /// What a request's path names; `nil` if it is not below `paths.streams` and belongs to the routes.
    func target(of requested: Substring) -> Target? {
        guard requested.begins(with: path) else { return nil }
        let rest = requested.dropFirst(path.count)
        if rest.isEmpty { return .nothing }
        guard rest.first == "/" else { return nil }
        let parts = rest.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard let name = parts.first, let id = StreamId(name) else { return .nothing }
        if parts.count == 1 { return .stream(id) }
        return parts.count == 2 && parts[1] == "feedback" ? .feedback(id) : .nothing
    }

    func location(of id: StreamId) -> String { "\(path)/\(id.text)" }
}
