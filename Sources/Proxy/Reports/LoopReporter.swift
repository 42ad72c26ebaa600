/// An event loop that reports what it has counted and what its streams do; every call is on it.
protocol LoopReporter: AnyObject {
    /// What the loop has counted so far.
    func figures() -> LoopFigures

    /// What the loop has counted, and its slowest streams.
    func overview() -> LoopOverview

    /// The open stream with this handle, reported as it was before it ended if `isEnding`; `nil` if there is none.
    func report(of handle: StreamHandle, isEnding: Bool) -> StreamReport?
}
