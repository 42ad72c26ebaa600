import Testing

@testable import LiveScreen

@Suite struct TrendTests {
    @Test func nothingIsKnownBeforeTheSecondSample() {
        var trend = Trend()
        #expect(trend.means(count: 2, until: 0) == [nil, nil])
        trend.add(5, at: 0)
        #expect(trend.means(count: 2, until: 0) == [nil, nil])
        trend.add(5, at: 1)
        #expect(trend.means(count: 2, until: 1) == [nil, 5])
    }

    @Test func aPartIsTheMeanOfItsTime() {
        var trend = Trend()
        trend.add(0, at: 0)
        trend.add(10, at: 50)
        trend.add(40, at: 150)
        trend.add(0, at: 300)
        // 50 s at 10 and 100 s at 40; then 150 s at nothing.
        #expect(trend.means(count: 2, until: 300) == [30, 0])
    }

    @Test func whatIsOlderThanFiveMinutesIsForgotten() {
        var trend = Trend()
        for second in 0...2000 { trend.add(second < 1000 ? 100 : 1, at: Double(second)) }
        #expect(trend.means(count: 3, until: 2000) == [1, 1, 1])
        #expect(trend.means(count: 3, until: 4000) == [nil, nil, nil])
    }

    /// It keeps a bounded number of samples, however many it gets: the oldest parts are empty then.
    @Test func samplesAreBounded() {
        var trend = Trend()
        for tick in 0...30_000 { trend.add(1, at: Double(tick) / 100) }
        let means = trend.means(count: 10, until: 300)
        #expect(means.last == 1)
        #expect(means.first == .some(nil))
    }

    @Test func barsAreAsHighAsTheirShareOfTheHighest() {
        #expect(Bars.blocks.text([nil, 0, 1, 50, 100]) == " ▁▂▅█")
        #expect(Bars.ascii.text([nil, 0, 1, 50, 100]) == " .:+@")
        #expect(Bars.ascii.text([0, 0]) == "..")
        #expect(Bars.ascii.text([]) == "")
    }
}
