/// The counts of an event loop, its slowest streams and its shared requests; added over the loops.
package struct LoopOverview: Sendable {
    package var figures = LoopFigures()
    package var slowest = SlowestStreams()
    package var pulls = PullSummaries()

    package init(_ figures: LoopFigures = LoopFigures()) { self.figures = figures }

    package static func += (left: inout LoopOverview, right: LoopOverview) {
        left.figures += right.figures
        left.slowest += right.slowest
        left.pulls += right.pulls
    }
}
