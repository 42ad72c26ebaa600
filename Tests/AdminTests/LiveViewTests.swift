import Flow
import Testing

@testable import Admin

@Suite struct LiveViewTests {
    @Test(arguments: [
        ("/v1/admin/events", Duration.seconds(1)), ("/e?interval=500ms", .milliseconds(500)),
        ("/e?interval=1m", .seconds(60)),
        ("/e?a=b&interval=2s", .seconds(2)),
    ])
    func anIntervalIsReadOutOfTheTarget(target: String, interval: Duration) {
        #expect(LiveView.interval(in: target) == interval)
    }

    @Test(arguments: ["499ms", "61s", "1", "", "off", "-1s"])
    func anIntervalThatMakesNoSenseIsNone(text: String) {
        #expect(LiveView.interval(in: "/e?interval=" + text) == nil)
    }
}
