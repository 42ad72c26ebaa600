import PlainText

/// The live view of a terminal: told snapshots, failures, keys and the time, it says what stands on the screen.
package struct Screen: Sendable {
    /// Which tables share the screen; a key goes from one to the next.
    enum Focus: String, CaseIterable {
        case all, routes, breakers, streams
    }

    /// What the routes are sorted by, the greatest first.
    enum Order: String, CaseIterable {
        /// As in the configuration.
        case configured = "as configured"
        case streams
        case records = "records/s"
        case bytes = "bytes/s"
        case buffer
        case refused
    }

    package enum Action: Sendable {
        case quit, draw
        /// Ctrl-Z, as it is not the terminal's business here.
        case suspend
    }

    /// Where the snapshots come from.
    let address: String
    let bars: Bars

    private(set) var focus = Focus.all
    private(set) var order = Order.configured
    private(set) var isPaused = false
    private(set) var failure: String?

    /// What was known when a snapshot came.
    private struct Moment {
        let snapshot: AdminSnapshot
        /// By the names of the routes.
        let trends: [String: Trend]
        /// In seconds, on the clock of the events.
        let time: Double
    }

    /// While it is paused, one stays on the screen and the other goes on.
    private var latest: Moment?
    private var kept: Moment?

    package init(address: String, bars: Bars) {
        self.address = address
        self.bars = bars
    }

    /// What is shown; `nil` before the first answer.
    var shown: AdminSnapshot? { moment?.snapshot }
    var trends: [String: Trend] { moment?.trends ?? [:] }
    var time: Double { moment?.time ?? 0 }
    private var moment: Moment? { isPaused ? kept : latest }

    /// This is how weir stands now.
    ///
    /// - Parameters:
    ///   - snapshot: What was answered.
    ///   - time: In seconds, on a clock that only goes on.
    package mutating func take(_ snapshot: AdminSnapshot, at time: Double) {
        // Less than before: it was started anew, and what was is not its past.
        let isSame = latest.map { $0.snapshot.uptime <= snapshot.uptime } ?? false
        let before = isSame ? latest?.trends ?? [:] : [:]
        var trends: [String: Trend] = [:]
        for route in snapshot.routes {
            trends[route.route, default: before[route.route] ?? Trend()].add(route.bytesPerSecond, at: time)
        }
        latest = Moment(snapshot: snapshot, trends: trends, time: time)
        failure = nil
    }

    /// The last question had no answer that could be shown; what is known stays.
    package mutating func fail(_ reason: String) { failure = reason }

    /// - Returns: What is to be done; `nil` where the key has no meaning.
    package mutating func press(_ key: UInt8) -> Action? {
        switch key {
        case UInt8(ascii: "q"), UInt8(ascii: "Q"): return .quit
        case 0x1a: return .suspend
        case 0x0c: return .draw
        case UInt8(ascii: "p"), UInt8(ascii: " "):
            isPaused.toggle()
            kept = isPaused ? latest : nil
        case UInt8(ascii: ">"): order = order.next(by: 1)
        case UInt8(ascii: "<"): order = order.next(by: -1)
        case UInt8(ascii: "\t"): focus = focus.next(by: 1)
        default: return nil
        }
        return .draw
    }
}

extension CaseIterable where Self: Equatable, AllCases == [Self] {
    fileprivate func next(by step: Int) -> Self {
        let all = Self.allCases, place = all.firstIndex(of: self) ?? 0
        return all[(place + step + all.count) % all.count]
    }
}
