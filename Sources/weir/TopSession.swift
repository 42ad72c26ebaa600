import Foundation
import LiveScreen
import UnixSignals

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// `weir top` on a terminal: passes snapshots, keys and signals to the screen, one after the other.
struct TopSession {
    private enum Event: Sendable {
        case answer(Result<AdminSnapshot, AdminError>, wait: Double)
        case stream(StreamAnswer, id: String)
        case keys([UInt8])
        case signal(UnixSignal)
    }

    let source: SnapshotSource
    var screen: Screen
    let hasColour: Bool

    private let terminal = FullScreen()
    /// Whether another process has the terminal until SIGCONT: other threads may be stopped before this one is.
    private var isSuspended = false
    /// Whether a request for the state of a stream has no response yet.
    private var isLooking = false
    private let start = ContinuousClock.now

    init(source: SnapshotSource, screen: Screen, hasColour: Bool) {
        self.source = source
        self.screen = screen
        self.hasColour = hasColour
    }

    /// Runs until a key or a signal ends it, and restores the terminal.
    consuming func run() async {
        // More than can be typed while a screen is drawn.
        let (events, post) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(1024))
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup, .sigwinch, .sigcont)
        let listening = Task { for await signal in signals { post.yield(.signal(signal)) } }
        defer { listening.cancel() }
        terminal.enter()
        defer { terminal.leave() }
        Self.startAsking(source, post)
        Keyboard.startReading { post.yield(.keys($0)) }
        draw()
        for await event in events {
            guard take(event, post) else { break }
            if !isSuspended { draw() }
        }
        post.finish()
    }

    /// Returns whether the session continues.
    private mutating func take(_ event: Event, _ post: AsyncStream<Event>.Continuation) -> Bool {
        switch event {
        case .answer(.success(let snapshot), _):
            screen.take(snapshot, at: (ContinuousClock.now - start) / .seconds(1))
            if let id = screen.watchedStream, !isLooking { request(id, isEnding: false, post) }
        case .stream(let answer, let id):
            isLooking = false
            screen.take(answer, of: id)
        case .answer(.failure(let error), let wait):
            screen.fail("\(error.reason); next attempt in \(wait.isFinite ? String(Int(wait.rounded(.up))) : "-") s")
        case .keys(let bytes):
            for key in Key.keys(in: bytes) {
                switch screen.press(key) {
                case .quit: return false
                case .suspend: suspend()
                case .look(let id): request(id, isEnding: false, post)
                case .end(let id): request(id, isEnding: true, post)
                case .draw, nil: break
                }
            }
        case .signal(.sigcont):
            isSuspended = false
            terminal.enter()
        case .signal(.sigwinch): break
        case .signal: return false
        }
        return true
    }

    /// Does what Ctrl-Z does elsewhere; the shell continues the process with SIGCONT.
    private mutating func suspend() {
        isSuspended = true
        terminal.leave()
        kill(getpid(), SIGSTOP)
    }

    private func draw() {
        guard let size = Terminal.output.size else { return }
        terminal.draw(screen.lines(columns: size.columns, rows: size.rows).map { $0.drawn(hasColour: hasColour) })
    }

    // libcurl blocks: it has threads of its own, which end with the process.

    private mutating func request(_ id: String, isEnding: Bool, _ post: AsyncStream<Event>.Continuation) {
        isLooking = true
        Thread.detachNewThread { [source] in post.yield(.stream(source.stream(id, isEnding: isEnding), id: id)) }
    }

    private static func startAsking(_ source: SnapshotSource, _ post: AsyncStream<Event>.Continuation) {
        Thread.detachNewThread {
            source.follow { answer, wait in
                if case .terminated = post.yield(.answer(answer, wait: wait)) { false } else { true }
            }
        }
    }
}
