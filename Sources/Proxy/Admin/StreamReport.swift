import Downstream
import Flow
import NIOCore
import Observability

/// All that an operator may know of one stream: the JSON object of `GET /v1/admin/streams/{handle}` in `docs/ADMIN.md`.
struct StreamReport: Sendable {
    var glance: StreamGlance
    /// Without its query, as in the access log.
    var path: String
    /// Its address; `nil` where none was asked.
    var upstream: String?
    var dropped: Int
    var resumptions: Int
    var pauseCount: Int
    var pauses: [PauseLog.Pause]
    var began: Instant

    var json: [UInt8] {
        var json = JSONText(capacity: 512 + 64 * pauses.count)
        glance.add(to: &json)
        json.add("path", path)
        if let upstream { json.add("upstream", upstream) }
        json.add("dropped", dropped)
        json.add("resumptions", resumptions)
        json.add("pauseCount", pauseCount)
        json.add("pauses", array: pauses.map(text))
        return json.closed()
    }

    private func text(of pause: PauseLog.Pause) -> [UInt8] {
        var json = JSONText(capacity: 64)
        json.add("cause", pause.cause.rawValue)
        json.add("start", seconds: pause.began - began)
        json.add("seconds", seconds: pause.lasted)
        if pause.isRunning { json.add("running", true) }
        return json.closed()
    }
}

extension Worker {
    /// The stream with this handle, where it is open on this loop.
    ///
    /// - Complexity: O(open streams of the loop): operators ask rarely, and an index would cost each stream.
    func driver(of handle: StreamHandle) -> StreamDriver? { openDrivers.first { StreamHandle(of: $0.id) == handle } }
}

extension StreamDriver {
    func report(at now: Instant) -> StreamReport {
        StreamReport(
            glance: glance(at: now), path: String(asked.request.path), upstream: totals.upstream, dropped: queue.lost,
            resumptions: totals.resumptions, pauseCount: machine.pauses, pauses: pauses.pauses(at: now), began: began)
    }
}

extension LoopRoster {
    /// Asks every loop for the stream with this handle, and what is to be done with it there.
    ///
    /// - Returns: The stream's report; `nil` where no such stream is open, a failure where a loop has been shut down or does not answer in time.
    func report(
        of handle: StreamHandle, on loop: any EventLoop, _ act: @escaping @Sendable (StreamDriver) -> Void = { _ in }
    ) -> EventLoopFuture<StreamReport?> {
        join(
            into: nil, on: loop,
            { worker in
                guard let driver = worker.driver(of: handle) else { return nil }
                let report = driver.report(at: worker.clock())
                act(driver)
                return report
            }, { $0 = $0 ?? $1 })
    }
}
