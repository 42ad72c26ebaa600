import Flow

/// Streams that began under an older configuration.
package struct OlderStreams: Sendable {
    package private(set) var count = 0
    /// The age of the oldest; zero if there is none.
    package private(set) var oldest = Duration.zero

    mutating func add(began: Instant, at now: Instant) {
        count += 1
        oldest = max(oldest, now - began)
    }

    static func += (left: inout OlderStreams, right: OlderStreams) {
        left.count += right.count
        left.oldest = max(left.oldest, right.oldest)
    }
}
