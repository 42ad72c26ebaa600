import Downstream
import Flow
import Settings

/// A client that follows the live view: holds at most one snapshot that it has not read, and is disconnected if it stops
/// reading.
final class LiveViewer: ResponseWriterDelegate {
    private static let mostSkipped = 30

    let peer: String
    /// With which the client was accepted; `nil` if none was required.
    let token: Secret?
    private let response: any ConnectionResponse
    private let interval: Duration
    private let view: LiveView
    private var due = Instant.distantPast
    private var skipped = 0

    init(
        response: any ConnectionResponse, peer: String, token: Secret?, every interval: Duration, of view: LiveView
    ) {
        (self.response, self.peer, self.token, self.interval, self.view) = (response, peer, token, interval, view)
        response.delegate = self
    }

    func isDue(at now: Instant) -> Bool { now >= due }

    func send(_ json: [UInt8], at now: Instant) {
        // Slightly less than a whole number of steps: otherwise one late snapshot would skip every second step.
        due = now + (interval - LiveView.shortestInterval / 4)
        guard response.room > 0 else {
            skipped += 1
            if skipped >= Self.mostSkipped { response.abort() }
            return
        }
        skipped = 0
        let event = Array("event: state\ndata: ".utf8) + json + Array("\n\n".utf8)
        event.withUnsafeBytes { response.write($0) }
    }

    /// Ends the response: the client has to ask again.
    func end() { response.end() }

    func responseCaughtUp() {}
    func responseBlocked() {}
    func responseFinished() { view.remove(self) }
    func responseClosed() { view.remove(self) }
}
