/// What a stream has done and holds: counts since its beginning, and sizes now.
struct Work: Equatable {
    var reads = 0, writes = 0, timers = 0, records = 0, bytes = 0
    /// Buffered records, and bytes that the sockets have not taken.
    var buffered = 0
    /// The memory that they take.
    var allocated = 0
    var openStreams = 0, pausedStreams = 0

    static func += (left: inout Work, right: Work) {
        left.reads += right.reads
        left.writes += right.writes
        left.timers += right.timers
        left.records += right.records
        left.bytes += right.bytes
        left.buffered += right.buffered
        left.allocated += right.allocated
        left.openStreams += right.openStreams
        left.pausedStreams += right.pausedStreams
    }

    static func * (work: Work, times: Int) -> Work {
        Work(
            reads: work.reads * times, writes: work.writes * times, timers: work.timers * times,
            records: work.records * times, bytes: work.bytes * times, buffered: work.buffered * times,
            allocated: work.allocated * times,
            openStreams: work.openStreams * times, pausedStreams: work.pausedStreams * times)
    }
}
