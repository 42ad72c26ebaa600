package import Flow
import NIOCore

extension Instant {
    /// The current instant of the monotonic clock that NIO's timers use.
    package static func monotonic() -> Instant { Instant(nanoseconds: Int64(NIODeadline.now().uptimeNanoseconds)) }
}
