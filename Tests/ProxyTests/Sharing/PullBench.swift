import Downstream
import Flow
import HTTPText
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Observability
import Settings
import TestSupport

@testable import Proxy
@testable import Upstream

/// The pulls of one embedded loop, over transfers that the test answers.
final class PullBench: PullHost {
    let loop = EmbeddedEventLoop()
    let clock = ManualClock()
    private(set) lazy var timers = LoopTimers(on: loop, clock: clock.read)
    private(set) lazy var pulls = LoopPulls(of: table, on: self)
    let table = PullTable()
    let route: ProxyRoute
    var transfers: [FakePullTransfer] = []
    var heldBytes = 0
    let process = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    var isMemoryExceeded = false
    let routeMetrics = RouteMetrics()
    private var random = SeededGenerator(seed: 1)

    init(upstreams: Int = 1, _ change: (inout Route, inout Route.Sharing) -> Void = { _, _ in }) {
        var settings = Route(
            match: .init(), upstreams: (0..<upstreams).map { UpstreamAddress(host: "origin\($0)", port: 9000) })
        var sharing = Route.Sharing()
        sharing.linger = .zero
        change(&settings, &sharing)
        settings.shared = sharing
        route = ProxyRoute(settings)
    }

    /// Joins a reader, which begins at once.
    func reader(
        at join: JoinRequest = .asConfigured, target: String = "/", headers: HTTPHeaders = [:]
    ) throws -> FakeReader {
        let request = try Request(
            head: HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: headers),
            peer: PeerAddress("192.0.2.1"))
        let clients = ClientAddress(trusted: [])
        guard case .shared(let key, _)? = route.sharing?.sharing(of: request, by: clients) else {
            throw JoinError.refused(.method)
        }
        let terms = Terms(
            pace: .unlimited, burst: 1, buffer: 1, maximumBytes: .kibibytes(1), maximumRecordBytes: .kibibytes(1))
        let asked = StreamRequest(
            request: request, client: "192.0.2.1", key: ClientKey("192.0.2.1"), route: route,
            served: ServedConfiguration(Configuration(routes: []), log: Logger(label: "test")), terms: terms,
            preferences: Preferences(prefer: []))
        let reader = FakeReader(id: StreamId(using: &random))
        reader.transfer = try pulls.join(asked, by: key, at: join, as: reader.id, delegate: reader)
        reader.transfer?.start()
        return reader
    }

    var retries: Int { routeMetrics.tally.retries }

    func run() { loop.run() }

    /// Advances second by second, so that timers fire when they are due.
    func advance(seconds: Int) {
        for _ in 0..<seconds { advance(by: .seconds(1)) }
    }

    func advance(by duration: Duration) {
        clock.advance(by: duration)
        loop.advanceTime(by: .nanoseconds(duration.nanoseconds))
    }

    var eventLoop: any EventLoop { loop }

    func now() -> Instant { clock.now }

    func makeTransfer(
        for key: SharingKey, of route: ProxyRoute, at upstream: RouteUpstream, delegate: any TransferDelegate
    ) throws -> any UpstreamTransfer {
        let transfer = FakePullTransfer(to: upstream.name, delegate) { [unowned self] in pulls.turnEnds() }
        transfers.append(transfer)
        return transfer
    }

    func metrics(of route: ProxyRoute) -> RouteMetrics { routeMetrics }
    func bufferChanged(by change: Int) { heldBytes += change }
    func turnEnded() {}
}

final class FakePullTransfer: UpstreamTransfer {
    let upstream: String
    private var delegate: (any TransferDelegate)?
    private(set) var isPaused = false
    private(set) var isCancelled = false
    private let turnEnds: () -> Void

    init(to upstream: String, _ delegate: any TransferDelegate, turnEnds: @escaping () -> Void) {
        (self.upstream, self.delegate, self.turnEnds) = (upstream, delegate, turnEnds)
    }

    var wasSent: Bool { true }

    func start() {}
    func pause() { isPaused = true }
    func resume() { isPaused = false }
    func bodyArrived() {}
    func cancel() {
        isCancelled = true
        delegate = nil
    }

    func head(_ status: Int = 200, _ headers: HTTPHeaders = ["Content-Type": "application/x-ndjson"]) {
        delegate?.transferHead(UpstreamResponseHead(status: status, reason: "", headers: headers))
    }

    func lines(_ lines: ClosedRange<Int>) {
        linesWithinTurn(lines)
        turnEnds()
    }

    func linesWithinTurn(_ lines: ClosedRange<Int>) { textWithinTurn(lines.map { "\($0)\n" }.joined()) }

    func text(_ text: String) {
        textWithinTurn(text)
        turnEnds()
    }

    private func textWithinTurn(_ text: String) {
        Array(text.utf8).withUnsafeBytes { delegate?.transferBytes($0) }
    }

    func end(_ end: TransferEnd = .complete) {
        let delegate = delegate
        self.delegate = nil
        delegate?.transferEnded(end)
    }
}

/// A stream that takes everything unless its transfer is paused.
final class FakeReader: SharedTransferDelegate {
    let id: StreamId
    var transfer: SharedReader?
    private(set) var upstream: String?
    private(set) var status: Int?
    private(set) var text = ""
    private(set) var pieces = 0
    private(set) var losses: [[Int]] = []
    private(set) var end: TransferEnd?
    private(set) var refusal: SharingRefusal?
    private(set) var hasLagged = false
    private(set) var isGone = false
    var recordRoom = Int.max
    /// Its client does not read.
    var isUnread = false
    /// Pauses after each piece.
    var pausesItself = false

    init(id: StreamId) { self.id = id }

    var lines: [Int] { text.split(separator: "\n").compactMap { Int($0) } }

    func transferIsShared(from upstream: String) { self.upstream = upstream }
    func transferHead(_ head: UpstreamResponseHead) { status = head.status }
    func transferBytes(_ bytes: UnsafeRawBufferPointer) { text += String(decoding: bytes, as: UTF8.self) }
    func transferRecords(_ records: SharedLog.Slice, isLast: Bool) {
        pieces += 1
        records.withBytes { transferBytes($0) }
        if pausesItself { transfer?.pause() }
    }
    func transferEnded(_ end: TransferEnd) { self.end = end }
    func sharingRefused(_ cause: SharingRefusal) { refusal = cause }
    func recordsLost(_ count: Int, after position: Int) { losses.append([count, position]) }
    func readerLagged() { hasLagged = true }
    func cannotJoin() { isGone = true }
}
