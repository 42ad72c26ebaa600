/// The open streams of one client on an event loop; added over the loops.
package struct ClientStreams: Sendable {
    /// The maximum of ``streams``.
    static let most = 200

    /// Their number.
    package private(set) var count = 0
    package private(set) var streams: [StreamSummary] = []

    package init() {}

    mutating func add(_ stream: StreamSummary) {
        count += 1
        if streams.count < Self.most { streams.append(stream) }
    }

    static func += (left: inout ClientStreams, right: ClientStreams) {
        left.count += right.count
        left.streams += right.streams.prefix(Self.most - left.streams.count)
    }
}
