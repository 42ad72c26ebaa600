extension StreamMachine {
    /// The deadlines of a stream; `nil` for a deadline that it does not have.
    package struct Limits: Equatable, Sendable {
        package var firstByte: TimeLimit?
        /// From the request to the first record, of a stream whose records are watched.
        package var firstRecord: TimeLimit?
        /// From one record to the next, of a stream whose records are watched.
        package var betweenRecords: TimeLimit?
        package var idle: TimeLimit?
        package var pause: TimeLimit?
        package var stall: TimeLimit?
        package var total: TimeLimit?
        /// The time that a client with a lost connection has to come back; `nil` if it may not.
        package var resumeWindow: TimeLimit?
        /// Whether a blocked client with a full queue is a slow consumer at once (`overflow: disconnect`).
        package var endsWhenFull = false
        /// Whether a slow consumer is only recorded, and its stream continues.
        package var isStallDryRun = false

        package init(
            firstByte: Duration? = nil, firstRecord: Duration? = nil, betweenRecords: Duration? = nil,
            idle: Duration? = nil, pause: Duration? = nil, stall: Duration? = nil, total: Duration? = nil,
            resumeWindow: Duration? = nil, endsWhenFull: Bool = false, isStallDryRun: Bool = false
        ) {
            self.firstByte = firstByte.map { TimeLimit($0) }
            self.firstRecord = firstRecord.map { TimeLimit($0) }
            self.betweenRecords = betweenRecords.map { TimeLimit($0) }
            self.idle = idle.map { TimeLimit($0) }
            self.pause = pause.map { TimeLimit($0) }
            self.stall = stall.map { TimeLimit($0) }
            self.total = total.map { TimeLimit($0) }
            self.resumeWindow = resumeWindow.map { TimeLimit($0) }
            self.endsWhenFull = endsWhenFull
            self.isStallDryRun = isStallDryRun
        }
    }
}
