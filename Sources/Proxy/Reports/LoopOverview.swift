/// The counts of an event loop, and its slowest streams; added over the loops.
package struct LoopOverview: Sendable {
    package var figures = LoopFigures()
    package var slowest = SlowestStreams()

    package init() {}

    package static func += (left: inout LoopOverview, right: LoopOverview) {
        left.figures += right.figures
        left.slowest += right.slowest
    }
}
