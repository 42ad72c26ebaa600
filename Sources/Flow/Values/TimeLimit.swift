/// The longest time that a clock may run.
///
/// A `Duration` in the form in which it is compared: deadlines are computed a few times for each request, and `Duration`
/// divides 128 bits each time.
package struct TimeLimit: Equatable, Sendable {
    let nanoseconds: Int64

    package init(_ duration: Duration) { nanoseconds = duration.nanoseconds }

    private init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// A part of it, at least a nanosecond.
    static func / (limit: TimeLimit, divisor: Int64) -> TimeLimit {
        TimeLimit(nanoseconds: max(1, limit.nanoseconds / divisor))
    }
}

extension Instant {
    /// The end of a clock that began at `start`; `distantFuture` if it does not run or has no limit.
    static func end(of start: Instant?, _ limit: TimeLimit?) -> Instant {
        guard let start, let limit else { return .distantFuture }
        return start.advanced(byNanoseconds: limit.nanoseconds)
    }
}
