import Downstream
import Flow
import NIOHTTP1
import Settings
import Upstream

// The request's body, from the client to the upstream: as fast as the upstream takes it, and no faster.

extension StreamDriver: RequestBodyDelegate {
    /// From now on what the client sends of it is kept for the upstream, a little of it at a time.
    func beginBody() {
        asked.body?.stream(
            to: self, upTo: route.settings.maximumBodyBytes, idle: route.settings.timeouts.body)
    }

    /// Who waits for whom is told by this alone: an upstream that could take more, and gets none, waits for the client.
    func transferBody(into target: UnsafeMutableRawBufferPointer) -> BodyPiece {
        guard let body = asked.body else { return .brokenOff }
        guard let count = body.take(into: target) else {
            machine.requestAwaited()
            return .nothingYet
        }
        machine.requestTaken(at: worker.clock())
        armDeadline()
        return count > 0 ? .bytes(count) : .end
    }

    func transferBodyTrailers() -> HTTPHeaders { asked.body?.trailers.passedOnAsRequestTrailers() ?? [:] }

    func bodyArrived() { transfer?.bodyArrived() }

    func bodyFailed(_ failure: RequestBody.Failure) {
        asked.body = nil
        guard failure != .brokenOff else { return perform(machine.end(.clientGone)) }
        end(head == nil ? .refused : .cancelled, problem: Problem(failure))
    }

    /// The upstream is gone, or has all of it.
    func endBody() {
        asked.body?.cancel()
        asked.body = nil
    }
}
