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

    /// What is shown instead of the tables or with them.
    enum Page: Sendable {
        case tables, help
        case stream(WatchedStream)
    }

    /// What the session does after a key.
    package enum Action: Equatable, Sendable {
        case quit, draw
        /// Ctrl-Z, which the terminal does not handle in this mode.
        case suspend
        /// Requests the state of the stream with this id.
        case look(String)
        /// Ends it.
        case end(String)
    }

    /// The address of the admin listener.
    let address: String
    let bars: Bars

    var page = Page.tables
    var focus = Focus.all
    var order = Order.configured
    /// The selected row of the table that is shown alone; `nil` if none is selected.
    var selected: Int?
    private(set) var isPaused = false
    private(set) var failure: String?

    /// While paused, `kept` is shown and `latest` is updated.
    private var latest: Moment?
    private var kept: Moment?

    package init(address: String, bars: Bars) {
        self.address = address
        self.bars = bars
    }

    /// The snapshot that is shown; `nil` before the first one.
    var shown: AdminSnapshot? { moment?.snapshot }
    var moment: Moment? { isPaused ? kept : latest }

    /// Takes a snapshot.
    ///
    /// - Parameters:
    ///   - snapshot: The response.
    ///   - time: In seconds, on a monotonic clock.
    package mutating func take(_ snapshot: AdminSnapshot, at time: Double) {
        latest = Moment(snapshot, after: latest, at: time)
        failure = nil
    }

    /// Freezes the snapshot that is shown, or continues.
    mutating func togglePause() {
        isPaused.toggle()
        kept = isPaused ? latest : nil
    }

    /// The last request failed; the last snapshot stays on the screen.
    package mutating func fail(_ reason: String) { failure = reason }
}
