package import Flow

/// Converts instants of the monotonic clock to the time of day: spans record the former, which no step of the clock distorts.
package struct WallClock: Equatable, Sendable {
    private let offset: Int64

    /// - Parameters:
    ///   - nanoseconds: The time of day, in nanoseconds since 1970.
    ///   - now: The same time on the monotonic clock.
    package init(nanosecondsSince1970 nanoseconds: Int64, at now: Instant) {
        offset = nanoseconds - now.nanoseconds
    }

    /// Nanoseconds since 1970, as the text of a 64-bit integer.
    func text(of instant: Instant) -> String { String(instant.nanoseconds &+ offset) }
}
