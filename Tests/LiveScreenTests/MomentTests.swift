import Testing

@testable import LiveScreen

@Suite struct MomentTests {
    private static let route = "/v1/orders/stream"

    /// The second of two moments, a second apart.
    private func moment(_ text: SnapshotText, after first: SnapshotText = .busy) throws -> Moment {
        Moment(try text.read(), after: Moment(try first.read(), after: nil, at: 0), at: 1)
    }

    @Test func aTrendIsTheMeanSinceTheMomentBefore() throws {
        #expect(try moment(.busy).trend(of: Self.route, count: 1) == [1_992_294])
        let first = Moment(try SnapshotText.busy.read(), after: nil, at: 0)
        #expect(first.trend(of: Self.route, count: 1) == [nil])
    }

    @Test func aRestartBeginsTheTrendsAnew() throws {
        var restarted = SnapshotText.busy
        restarted.uptime = 1
        #expect(try moment(restarted).trend(of: Self.route, count: 1) == [nil])
    }

    @Test func aRouteThatIsGoneHasNoTrend() throws {
        let gone = try moment(SnapshotText())
        let back = Moment(try SnapshotText.busy.read(), after: gone, at: 2)
        #expect(gone.trend(of: Self.route, count: 1) == [nil] && back.trend(of: Self.route, count: 1) == [nil])
    }
}
