import PlainText

extension Screen {
    /// Lines by which the page keys move.
    private static let pageSize = 10

    /// Handles a key.
    ///
    /// - Returns: What to do; `nil` for a key without a function.
    package mutating func press(_ key: Key) -> Action? {
        switch key {
        case .character(UInt8(ascii: "q")), .character(UInt8(ascii: "Q")): return .quit
        case .character(0x1a): return .suspend
        case .character(0x0c): return .draw
        default: break
        }
        switch page {
        case .tables: return pressOnTables(key)
        case .help:
            page = .tables
            return .draw
        case .stream(let stream): return press(key, on: stream)
        }
    }

    /// Takes the response for the stream whose page is shown; ignores a late one for another.
    package mutating func take(_ answer: StreamAnswer, of id: String) {
        guard case .stream(var stream) = page, stream.id == id else { return }
        stream.take(answer)
        page = .stream(stream)
    }

    /// The stream whose state is to be requested with each snapshot; `nil` if there is none.
    package var watchedStream: String? {
        guard case .stream(let stream) = page, stream.isOpen, !isPaused else { return nil }
        return stream.id
    }

    private mutating func pressOnTables(_ key: Key) -> Action? {
        switch key {
        case .character(UInt8(ascii: "?")), .character(UInt8(ascii: "h")): page = .help
        case .character(UInt8(ascii: "p")), .character(UInt8(ascii: " ")): togglePause()
        case .character(UInt8(ascii: ">")): order = order.next(by: 1)
        case .character(UInt8(ascii: "<")): order = order.next(by: -1)
        case .character(UInt8(ascii: "\t")): (focus, selected) = (focus.next(by: 1), nil)
        case .up: select(by: -1)
        case .down: select(by: 1)
        case .pageUp: select(by: -Self.pageSize)
        case .pageDown: select(by: Self.pageSize)
        case .home: select(by: -rowCount)
        case .end: select(by: rowCount)
        case .enter: return lookAtSelected()
        case .escape: (focus, selected) = (.all, nil)
        case .character: return nil
        }
        return .draw
    }

    /// Moves the selection; the first time it selects the first row, of all tables that of the streams.
    private mutating func select(by step: Int) {
        if focus == .all { focus = .streams }
        selected = min(max(0, selected.map { $0 + step } ?? 0), max(0, rowCount - 1))
    }

    private var rowCount: Int {
        guard let shown else { return 0 }
        return switch focus {
        case .all: 0
        case .routes: shown.routes.count
        case .upstreams: shown.upstreams?.count ?? 0
        case .breakers: shown.breakers.count
        case .shared: shown.pulls?.count ?? 0
        case .streams: shown.slowest.count
        }
    }

    private mutating func lookAtSelected() -> Action? {
        guard focus == .streams, let selected, let streams = shown?.slowest, !streams.isEmpty else { return nil }
        let id = streams[min(selected, streams.count - 1)].id
        page = .stream(WatchedStream(id: id))
        return .look(id)
    }

    private mutating func press(_ key: Key, on stream: WatchedStream) -> Action? {
        var stream = stream
        defer { if case .stream = page { page = .stream(stream) } }
        switch (stream.phase, key) {
        case (.confirming, .character(UInt8(ascii: "y"))):
            stream.end()
            return .end(stream.id)
        case (.confirming, _): stream.keep()
        case (_, .escape), (_, .enter): page = .tables
        case (.open, .character(UInt8(ascii: "e"))) where shown?.actions ?? false: stream.ask()
        case (_, .character(UInt8(ascii: "p"))), (_, .character(UInt8(ascii: " "))): togglePause()
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
