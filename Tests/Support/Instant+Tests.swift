package import Flow
package import NIOCore

extension Instant {
    /// The given number of seconds after the start of the tests' clock, which is far from zero.
    package static func seconds(_ seconds: Double) -> Instant {
        Instant(nanoseconds: 1_000_000_000_000 + Int64(seconds * 1e9))
    }

    /// The time of an event loop.
    package init(_ time: NIODeadline) { self.init(nanoseconds: Int64(time.uptimeNanoseconds)) }
}
