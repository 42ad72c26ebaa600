/// An event loop that reports its counts and its streams; every call is on the loop.
protocol LoopReporter: AnyObject {
    /// The counts of the loop so far.
    func figures() -> LoopFigures

    /// The counts of the loop, and its slowest streams.
    func overview() -> LoopOverview

    /// The open streams of a client, reported as they were before they ended if `isEnding`.
    func streams(of client: String, isEnding: Bool) -> ClientStreams

    /// The open stream with this handle, reported as it was before it ended if `isEnding`; `nil` if there is none.
    func report(of handle: StreamHandle, isEnding: Bool) -> StreamReport?
}
