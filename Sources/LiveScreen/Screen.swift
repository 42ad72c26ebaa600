import PlainText

/// The live view of a terminal: takes snapshots, failures, keys and the time, and returns the lines of the screen.
package struct Screen: Sendable {
    /// The tables that are shown; a key selects the next ones.
    enum Focus: String, CaseIterable {
        case all, routes, upstreams, breakers, shared, streams
    }

    /// The sort order of the routes, descending.
    enum Order: String, CaseIterable {
        /// As in the configuration.
        case configured = "as configured"
        case streams
        case records = "records/s"
        case bytes = "bytes/s"
        case buffer
        case refused
    }

    /// What the session does after a key.
    package enum Action: Sendable {
        case quit, draw
        /// Ctrl-Z, which the terminal does not handle in this mode.
        case suspend
    }

    /// The address of the admin listener.
    let address: String
    let bars: Bars

    private(set) var focus = Focus.all
    private(set) var order = Order.configured
    private(set) var isPaused = false
    private(set) var failure: String?

    /// A snapshot with the trends at its time.
    private struct Moment {
        let snapshot: AdminSnapshot
        /// By the names of the routes.
        let trends: [String: Trend]
        /// In seconds, on the clock of the events.
        let time: Double
    }

    /// While paused, `kept` is shown and `latest` is updated.
    private var latest: Moment?
    private var kept: Moment?

    package init(address: String, bars: Bars) {
        self.address = address
        self.bars = bars
    }

    /// The snapshot that is shown; `nil` before the first one.
    var shown: AdminSnapshot? { moment?.snapshot }
    var trends: [String: Trend] { moment?.trends ?? [:] }
    var time: Double { moment?.time ?? 0 }
    private var moment: Moment? { isPaused ? kept : latest }

    /// Takes a snapshot.
    ///
    /// - Parameters:
    ///   - snapshot: The response.
    ///   - time: In seconds, on a monotonic clock.
    package mutating func take(_ snapshot: AdminSnapshot, at time: Double) {
        // A lower uptime than before: weir was restarted, and the earlier trends are not its own.
        let isSame = latest.map { $0.snapshot.uptime <= snapshot.uptime } ?? false
        let before = isSame ? latest?.trends ?? [:] : [:]
        var trends: [String: Trend] = [:]
        for route in snapshot.routes {
            trends[route.route, default: before[route.route] ?? Trend()].add(route.bytesPerSecond, at: time)
        }
        latest = Moment(snapshot: snapshot, trends: trends, time: time)
        failure = nil
    }

    /// The last request failed; the last snapshot stays on the screen.
    package mutating func fail(_ reason: String) { failure = reason }

    /// Handles a key.
    ///
    /// - Returns: What to do; `nil` for a key without a function.
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
        let all = Self.allCases, index = all.firstIndex(of: self) ?? 0
        return all[(index + step + all.count) % all.count]
    }
}
