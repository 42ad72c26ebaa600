import Downstream
import Flow
import Logging
import NIOHTTP1
import Settings
import Upstream

/// The health checks of one upstream of one route, one after the other.
///
/// The head of a response decides. Its body is ignored, but read up to ``longestBody``, since a connection that is closed
/// within a response appears as a fault in the upstream's own log.
final class UpstreamCheck {
    private static let longestBody = 64 << 10

    private let upstream: RouteUpstream
    private let settings: Route.HealthCheck
    private let route: ProxyRoute
    private let worker: Worker
    /// The request of the check in progress; `nil` between two checks.
    private var transfer: Transfer?
    private lazy var timer = LoopTimer(target: self)
    private var due: Instant
    private var status: Int?
    private var received = 0

    init(_ upstream: RouteUpstream, _ settings: Route.HealthCheck, of route: ProxyRoute, on worker: Worker) {
        (self.upstream, self.settings, self.route, self.worker) = (upstream, settings, route, worker)
        // Otherwise many proxies that start together would send their checks together.
        due = worker.clock() + settings.interval * Double.random(in: 0..<1)
        worker.timers.set(timer, at: due)
    }

    /// Whether it is the same check already.
    func asks(_ upstream: RouteUpstream, _ settings: Route.HealthCheck, of route: ProxyRoute) -> Bool {
        self.upstream.origin === upstream.origin && self.settings == settings && self.route.gate === route.gate
            && self.route.settings.host == route.settings.host
    }

    func stop() {
        worker.timers.cancel(timer)
        transfer?.cancel()
        transfer = nil
    }

    private func ask(at now: Instant) {
        (status, received) = (nil, 0)
        let request = UpstreamRequest(method: .GET, target: settings.path)
        worker.timers.set(timer, at: now + settings.timeout)
        do {
            let transfer = try worker.upstream.makeTransfer(request, at: upstream.origin, delegate: self)
            transfer.headers.begin(host: route.host(of: nil, at: upstream.address))
            transfer.headers.add(own: "User-Agent", "weir")
            self.transfer = transfer
            transfer.start()
        } catch {
            answered(UpstreamError.unprepared(error).failure)
        }
    }

    private func answered(_ failure: UpstreamFailure) { answered("\(failure.cause.rawValue): \(failure.text)") }

    /// - Parameter fault: Why the check failed; `nil` if it passed.
    private func answered(_ fault: String?) {
        transfer?.cancel()
        transfer = nil
        // A late check is not followed by another at once.
        let now = worker.clock()
        due = max(due + settings.interval, now)
        worker.timers.set(timer, at: due)
        let hasChanged = route.gate.withState { $0.upstreams.checked(upstream.name, isGood: fault == nil) }
        guard hasChanged else { return }
        worker.shared.processLog.notice(
            "health check",
            metadata: [
                "route": "\(route.name)", "upstream": "\(upstream.name)", "state": fault == nil ? "up" : "down",
                "reason": "\(fault ?? "it answers")",
            ])
    }
}

extension UpstreamCheck: TimerTarget {
    func timerFired(_ timer: LoopTimer, at now: Instant) {
        if transfer != nil { answered("no answer in \(settings.timeout.text)") } else { ask(at: now) }
    }
}

extension UpstreamCheck: TransferDelegate {
    func transferHead(_ head: UpstreamResponseHead) { status = head.status }

    func transferBytes(_ bytes: UnsafeRawBufferPointer) {
        received += bytes.count
        if received > Self.longestBody { answered(fault(of: status)) }
    }

    func transferEnded(_ end: TransferEnd) {
        transfer = nil
        switch end {
        case .complete: answered(fault(of: status))
        case .failed(let error): answered(error.failure)
        }
    }

    private func fault(of status: Int?) -> String? {
        guard let status else { return "no status" }
        return (200...399).contains(status) ? nil : "status \(status)"
    }
}
