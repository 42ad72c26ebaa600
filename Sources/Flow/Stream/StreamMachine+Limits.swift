extension StreamMachine {
    /// The deadlines of a stream, in nanoseconds; `nil` for a deadline that it does not have.
    package struct Limits: Equatable, Sendable {
        package var firstByte: Int64?
        package var idle: Int64?
        package var pause: Int64?
        package var stall: Int64?
        package var total: Int64?
        /// The time that a client with a lost connection has to come back; `nil` if it may not.
        package var resumeWindow: Int64?
        /// Whether a blocked client with a full queue is a slow consumer at once (`overflow: disconnect`).
        package var endsWhenFull = false
        /// Whether a slow consumer is only recorded, and its stream continues.
        package var isStallDryRun = false

        package init(
            firstByte: Duration? = nil, idle: Duration? = nil, pause: Duration? = nil, stall: Duration? = nil,
            total: Duration? = nil, resumeWindow: Duration? = nil, endsWhenFull: Bool = false,
            isStallDryRun: Bool = false
        ) {
            self.firstByte = firstByte?.nanoseconds
            self.idle = idle?.nanoseconds
            self.pause = pause?.nanoseconds
            self.stall = stall?.nanoseconds
            self.total = total?.nanoseconds
            self.resumeWindow = resumeWindow?.nanoseconds
            self.endsWhenFull = endsWhenFull
            self.isStallDryRun = isStallDryRun
        }
    }
}
